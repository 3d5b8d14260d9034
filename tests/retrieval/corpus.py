"""Chunks of made-up site talk in a real table, and what hybrid search should find among them, by plain arithmetic."""

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from infra.retrieval import KEY, Index, Query, index_of
from infra.retrieval.statement import CANDIDATES, MEANING, WORDS

INDEX = index_of("jobsite", "random", "sentences", 32)
TABLE = f"{INDEX.schema}.{INDEX.table}"
VOCABULARY = """
    boiler pipe wall water plumber kitchen window plan office rain wind floor wood cost customer letter stairs
    carpenter step child bedroom drywall sheet painter smoke alarm roof stone chimney branch storm metal ceiling
    spot weather brick mortar crane beam steel concrete footing permit inspector fence gate truck delivery gravel
"""
SAID = VOCABULARY.split()
Vector = NDArray[np.float32]


class Row(NamedTuple):
    session_id: UUID
    n: int
    job_id: UUID | None
    text: str
    recorded_at: datetime
    vector: Vector


def unit(vector: NDArray[np.floating]) -> Vector:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def rows(count: int, *, seed: int = 1) -> list[Row]:
    """Ten chunks a session, five sessions a job, spread over a year."""
    random = np.random.default_rng(seed)
    now = datetime.now(UTC)
    centres = random.normal(size=(40, INDEX.dimensions))
    return [
        Row(
            session_id=UUID(int=1 + i // 10),
            n=i % 10,
            job_id=UUID(int=1000 + i // 50) if i % 50 < 45 else None,
            text=" ".join(random.choice([*SAID, "the", "of", "was", "on"], size=random.integers(5, 25))),
            recorded_at=now - timedelta(days=float(random.uniform(0, 365))),
            vector=unit(centres[random.integers(40)] + random.normal(size=INDEX.dimensions)),
        )
        for i in range(count)
    ]


@asynccontextmanager
async def indexed(dsn: str, chunks: Sequence[Row]) -> AsyncIterator[asyncpg.Pool]:
    """A pool on a database whose index holds the chunks."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"create extension if not exists vector; create schema {INDEX.schema}")
    await connection.close()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, init=register_vector) as pool:
        await make(pool, INDEX)
        await insert(pool, chunks)
        for statement in INDEX.indexes:
            await pool.execute(statement.format(table=TABLE))
        await pool.execute(f"analyze {TABLE}")
        yield pool


async def make(db: asyncpg.Pool, index: Index) -> None:
    """An empty table for an index."""
    columns = ", ".join(f"{name} {kind}" for name, kind in index.columns.items())
    await db.execute(f"create table {index.schema}.{index.table} ({columns}, primary key ({', '.join(KEY)}))")


async def insert(db: asyncpg.Pool, chunks: Sequence[Row], index: Index = INDEX) -> None:
    """As projections do: an array a column."""
    await db.execute(
        f"insert into {index.schema}.{index.table} "
        "(source_id, n, job_id, text, recorded_at, embedding, kind, session_id, start_char, end_char, start_s, end_s) "
        "select u.*, 'session', source_id, 0, length(text), n, n + 1 "
        "from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::timestamptz[], $6::halfvec[]) "
        "as u (source_id, n, job_id, text, recorded_at, embedding)",
        *([chunk[column] for chunk in chunks] for column in range(5)),
        [HalfVector(chunk.vector) for chunk in chunks],
    )


class Model:
    """The same search without an index: every chunk is looked at, in Python."""

    def __init__(self, db: asyncpg.Pool, chunks: Sequence[Row], indexes: Sequence[Index] = (INDEX,)) -> None:
        self._db = db
        self._tables = [f"{index.schema}.{index.table}" for index in indexes]
        self._chunks = chunks
        self._vectors = np.array([chunk.vector for chunk in chunks]).astype(np.float16).astype(np.float64)

    async def search(self, query: Query, vector: Vector | None) -> list[tuple[tuple[UUID, int], float]]:
        """Keys and scores, best first, of all chunks that reach the minimum score."""
        inside = [
            n
            for n, chunk in enumerate(self._chunks)
            if query.scope.job_id in (None, chunk.job_id)
            and query.scope.session_id in (None, chunk.session_id)
        ]
        depth = max(CANDIDATES, 2 * query.limit)
        similarity = self._similarities(vector) if vector is not None else {}
        coverage, density, asked = await self._words(query.text)
        near = places({n: similarity[n] for n in inside if n in similarity}, similarity.__getitem__, depth)
        said = places(
            {n: coverage[n] for n in inside if n in coverage}, lambda n: (coverage[n], density[n]), depth
        )
        attainable = (MEANING if vector is not None else 0) + (WORDS if asked else 0)
        scores = {}
        for n in near.keys() | said.keys():
            found = MEANING * max(0.0, similarity[n]) * 61 / (60 + near[n]) if n in near else 0.0
            found += WORDS * coverage[n] * 61 / (60 + said[n]) if n in said else 0.0
            scores[n] = found / attainable * self._freshness(n, query)
        best = sorted(scores, key=lambda n: (-round(scores[n], 9), self._chunks[n][:2]))
        return [(self._chunks[n][:2], scores[n]) for n in best if scores[n] >= query.min_score][: query.limit]

    def _similarities(self, vector: Vector) -> dict[int, float]:
        asked = vector.astype(np.float16).astype(np.float64)
        lengths = np.linalg.norm(self._vectors, axis=1) * np.linalg.norm(asked)
        return dict(enumerate((self._vectors @ asked / lengths).tolist()))

    def _freshness(self, n: int, query: Query) -> float:
        days = (datetime.now(UTC) - self._chunks[n].recorded_at).total_seconds() / 86400
        return 1 - query.recency + query.recency * math.pow(0.5, max(0, days) / query.half_life_days)

    async def _words(self, text: str) -> tuple[dict[int, float], dict[int, float], set[str]]:
        """Coverage and density by chunk, and the words asked for; stemming and density are left to Postgres."""
        asked = set(await self._db.fetchval("select tsvector_to_array(to_tsvector('english', $1))", text))
        held = [
            row
            for table in self._tables
            for row in await self._db.fetch(
                "select source_id, n, tsvector_to_array(tsv) as words, "
                f"ts_rank_cd(tsv, $1::tsquery, 1) as every, ts_rank_cd(tsv, $2::tsquery, 1) as some from {table}",
                " & ".join(f"'{word}'" for word in asked),
                " | ".join(f"'{word}'" for word in asked),
            )
        ]
        at = {(row["source_id"], row["n"]): row for row in held}
        coverage, density = {}, {}
        for n, chunk in enumerate(self._chunks):
            row = at[chunk[:2]]
            if shared := asked & set(row["words"]):
                coverage[n] = len(shared) / len(asked)
                density[n] = row["every"] if shared == asked else row["some"]
        return coverage, density, asked


def places(inside: Mapping[int, float], worth: Callable[[int], object], depth: int) -> dict[int, int]:
    """The best, each with its place from 1; equals share one."""
    best = sorted(inside, key=worth, reverse=True)  # type: ignore[arg-type]
    place: dict[int, int] = {}
    for count, n in enumerate(best, start=1):
        tied = count > 1 and worth(n) == worth(best[count - 2])
        place[n] = place[best[count - 2]] if tied else count
    kept = sorted(place, key=lambda n: (place[n], n))[:depth]
    return {n: place[n] for n in kept}
