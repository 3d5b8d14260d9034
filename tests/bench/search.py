"""Search in 100,000 passages: how long answers take, alone and eight at once, and how many of the nearest are found.

Each question is another one, so that nothing is remembered from an earlier one.
"""

import time
from asyncio import TaskGroup
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import aiohttp
import asyncpg
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from infra.embedding import choice
from infra.retrieval import Query, Target, Vector, explore
from projections.knowledge_tables import as_json
from tests.bench.filling import Asked, Held, filled
from tests.bench.ground import Ground, say
from tests.bench.measures import Goal, Measure, percentile
from tests.bench.passages import Writer

PASSAGES = 100_000
QUESTIONS = 100
"""In one run, for each scope and each way of asking."""
RECALLED = 30
"""Of these, so many are also answered by comparing each passage."""
AT_ONCE = 8
BEST = 10
NOTHING_SAID = "what was it about"
"""Stop words: only the vector counts."""
EXACT = """
select c.source_id, c.n from {table} c
where c.collection_id = any($2::uuid[]) and c.metadata @> $3::jsonb
order by c.embedding <=> $1::halfvec, c.source_id, c.n limit {best}
"""
MEASURED = {
    "recall@10": ("share", Goal(0.96)),
    "p50": ("ms", None),
    "p99": ("ms", Goal(50, at_least=False)),
    "p99 of the statement alone": ("ms", None),
    f"p50 of {AT_ONCE} at once": ("ms", None),
    f"p99 of {AT_ONCE} at once": ("ms", None),
}


class Questions(NamedTuple):
    """Each is asked once only."""

    alone: list[str]
    together: list[str]
    vectors: list[Vector]


async def measure(ground: Ground) -> list[Measure]:
    writer, size = Writer(), ground.size(PASSAGES)
    embedder = await choice.choose(ollama_url=None, ollama_model=None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(embedder.close)
        site = await stack.enter_async_context(ground.site())
        pool = asyncpg.create_pool(site.database, min_size=1, max_size=1, init=register_vector)
        db = await stack.enter_async_context(pool)
        await stack.enter_async_context(site.running("serve", "project"))
        http = await stack.enter_async_context(site.client())
        began = time.monotonic()
        held = await filled(http, db, embedder, writer, size)
        say(f"  {size:,} passages are there after {time.monotonic() - began:.0f} s")
        runs: dict[str, list[list[float]]] = {name: [] for name in held.scopes}
        for _ in range(ground.runs):
            for name, asked in held.scopes.items():
                count = max(10, ground.size(QUESTIONS))
                texts = writer.questions(3 * count)
                vectors = list(await embedder.embed(texts[:count]))
                questions = Questions(texts[:count], texts[count:], vectors)
                runs[name].append(await _run(http, db, held, asked, questions))
    return [
        Measure(f"search in {size:,}, {name}: {what}", unit, "", goal, values)
        for name, of in runs.items()
        for (what, (unit, goal)), values in zip(MEASURED.items(), zip(*of, strict=True), strict=True)
    ]


async def _run(
    http: aiohttp.ClientSession, db: asyncpg.Pool, held: Held, asked: Asked, questions: Questions
) -> list[float]:
    """A value for each of what is measured."""
    recall = await _recall(db, held, asked, questions.vectors[:RECALLED])
    statement = [
        await _stated(db, held, asked, text, vector)
        for text, vector in zip(questions.alone, questions.vectors, strict=True)
    ]
    alone = [await _asked(http, asked, text) for text in questions.alone]
    together = await _together(http, asked, questions.together)
    return [
        recall,
        percentile(alone, 0.5),
        percentile(alone, 0.99),
        percentile(statement, 0.99),
        percentile(together, 0.5),
        percentile(together, 0.99),
    ]


async def _asked(http: aiohttp.ClientSession, asked: Asked, text: str) -> float:
    """Milliseconds of a search as clients know it."""
    began = time.perf_counter()
    async with http.post("/v1/search", json={"query": text, "scope": asked.body, "limit": BEST}) as answer:
        found = (await answer.json())["hits"]
    if not found:
        raise RuntimeError(f"nothing is found for {text!r}")
    return 1000 * (time.perf_counter() - began)


async def _together(http: aiohttp.ClientSession, asked: Asked, texts: Sequence[str]) -> list[float]:
    """The same with several at a time."""
    left, taken = iter(texts), []

    async def one_after_the_other(left: Iterator[str]) -> None:
        for text in left:
            taken.append(await _asked(http, asked, text))

    async with TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other(left))
    return taken


def _target(held: Held, vector: Vector) -> Target:
    return Target(held.index, vector, held.collections, nearly_all=True)


async def _stated(db: asyncpg.Pool, held: Held, asked: Asked, text: str, vector: Vector) -> float:
    """Milliseconds of the statement alone."""
    began = time.perf_counter()
    await explore(db, [_target(held, vector)], Query(text, asked.scope, limit=BEST))
    return 1000 * (time.perf_counter() - began)


async def _recall(db: asyncpg.Pool, held: Held, asked: Asked, vectors: Sequence[Vector]) -> float:
    """Share of the nearest passages that a search by meaning finds."""
    met = wanted = 0
    for vector in vectors:
        nearest = await _nearest(db, held, asked, vector)
        found = await explore(db, [_target(held, vector)], Query(NOTHING_SAID, asked.scope, limit=BEST))
        met += len(nearest & {(hit.source_id, hit.n) for hit in found.hits})
        wanted += len(nearest)
    return met / wanted


async def _nearest(db: asyncpg.Pool, held: Held, asked: Asked, vector: Vector) -> set[tuple[object, int]]:
    """By comparing each passage in scope."""
    table = f"{held.index.schema}.{held.index.table}"
    ids = asked.scope.collection_ids or held.collections
    metadata = as_json(asked.scope.metadata)
    async with db.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute("set local enable_indexscan = off")
        rows = await connection.fetch(
            EXACT.format(table=table, best=BEST), HalfVector(vector), list(ids), metadata
        )
    return {(row["source_id"], row["n"]) for row in rows}
