"""Documents: from an upload of many to all of them being found, and lists and figures of a full collection."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp
import asyncpg

from tests.bench.ground import DURABILITY, Ground, say
from tests.bench.measures import Goal, Measure, percentile

DOCUMENTS = 1000
TOGETHER = 50
"""Files in one request."""
FULL = 100_000
ASKED = 40
"""Times each question is asked."""
SENTENCE = "The crew of house {n} has hung {k} doors and found {n} of them warped by the rain. "
FILL = """
with c as (select id from knowledge.collections where name = 'full'),
made as (select gen_random_uuid() as id, n from generate_series(1, $1::int) n),
documents as (
  insert into knowledge.documents (id, collection_id, file_name, title, media_type, blob, size, pages, characters,
    language, metadata, strategy, chunk_size, overlap, status, stage, ingestion_id, uploaded_at, uploaded_by,
    updated_at, position, revision)
  select made.id, c.id, 'report-' || n || '.pdf', 'Report ' || n, 'application/pdf', md5(n::text) || md5(n::text),
    1000 + n, 3, 4000, 'en', '{}', 'sentences', 900, 150, case when n % 20 = 0 then 'failed' else 'completed' end,
    'indexed', gen_random_uuid(), now(), 'bench', now(), n, n from made, c)
insert into knowledge.memberships (document_id, slot, collection_id, number, state, chunks)
select made.id, 1, c.id, 1, 'indexed', 5 from made, c
"""
"""The rows that so many uploads would have made."""

QUESTIONS = {
    "figures of a collection": "/v1/collections/full",
    "first page of its list": "/v1/documents?collection=full",
    "the list by status": "/v1/documents?collection=full&status=failed",
    "the list by a rare name": "/v1/documents?collection=full&text=report-7.",
}


async def measure(ground: Ground) -> list[Measure]:
    size, full = ground.size(DOCUMENTS), ground.size(FULL)
    async with ground.site() as site, site.running("serve", "work", "project"), site.client() as http:
        for name in ("bench", "full"):
            await (await http.post("/v1/collections", json={"name": name})).read()
        began = time.monotonic()
        await _upload(http, size)
        accepted = time.monotonic() - began
        await _completed(http, size)
        whole = time.monotonic() - began
        await _fill(site.database, full)
        asked = [(name, await _asked(http, path)) for name, path in QUESTIONS.items()]
    synced = DURABILITY["relaxed"]
    return [
        Measure(f"{size:,} documents accepted", "documents/s", synced, None, (size / accepted,)),
        Measure(f"{size:,} documents ingested, end to end", "documents/s", synced, None, (size / whole,)),
        *(
            Measure(
                f"at {full:,} documents, {name}, {point}", "ms", "", Goal(limit, at_least=False), (value,)
            )
            for name, times in asked
            for point, value, limit in (
                ("p50", percentile(times, 0.5), 100),
                ("p99", percentile(times, 0.99), 300),
            )
        ),
    ]


async def _upload(http: aiohttp.ClientSession, size: int) -> None:
    for first in range(0, size, TOGETHER):
        form = aiohttp.FormData({"collection": "bench"})
        for n in range(first, min(first + TOGETHER, size)):
            text = "".join(SENTENCE.format(n=n, k=k) for k in range(12))
            form.add_field("file", text.encode(), filename=f"{n}.txt", content_type="text/plain")
        async with http.post("/v1/documents", data=form) as answer:
            assert len((await answer.json())["documents"]) <= TOGETHER


async def _completed(http: aiohttp.ClientSession, size: int) -> None:
    told = 0.0
    while True:
        async with http.get("/v1/collections/bench") as answer:
            by_status = (await answer.json())["byStatus"]
        if by_status.get("failed"):
            raise RuntimeError(f"documents failed: {by_status}")
        if by_status.get("completed") == size:
            return
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  {by_status}")
        await asyncio.sleep(0.2)


async def _fill(database: str, full: int) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(FILL, full)
        for table in ("documents", "memberships"):
            await connection.execute(f"vacuum analyze knowledge.{table}")
    finally:
        await connection.close()


async def _asked(http: aiohttp.ClientSession, path: str) -> Sequence[float]:
    """Milliseconds of each answer."""
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        async with http.get(path) as answer:
            await answer.read()
        times.append(1000 * (time.perf_counter() - began))
    return times
