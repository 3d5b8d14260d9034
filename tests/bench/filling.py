"""A document base with as many passages as wanted, in the tables and with the indexes that a rebuild leaves."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import aiohttp
import asyncpg
from pgvector import HalfVector

from events.ids import new_id
from infra.embedding import Embedder
from infra.retrieval import Index, Scope
from infra.retrieval.spaces import slots_of
from projections.knowledge_tables import as_json
from tests.bench.passages import Passages, Writer

COLLECTIONS = {"bench-most": 89, "bench-tenth": 10, "bench-hundredth": 1}
"""Their share of all documents, in hundredths."""
PASSAGES = 5
"""Of one document."""
SENTENCES = 2000
SEVERAL = 5000
DOCUMENTS = """
with made as (select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[]) as u (id, collection_id, metadata)),
documents as (
  insert into knowledge.documents (id, collection_id, file_name, title, media_type, blob, size, pages, characters,
    language, metadata, strategy, chunk_size, overlap, status, stage, ingestion_id, uploaded_at, uploaded_by,
    updated_at, position, revision)
  select id, collection_id, 'report.pdf', 'Report', 'application/pdf', md5(id::text) || md5(id::text), 1000, 3, 4000,
    'en', metadata, 'sentences', 900, 150, 'completed', 'indexed', id, now(), 'bench', now(), 1, 1 from made)
insert into knowledge.memberships (document_id, slot, collection_id, number, state, chunks)
select id, 1, collection_id, 1, 'indexed', $4::int from made
"""
"""The rows that so many uploads would have made."""
INDEXES = "select indexname from pg_indexes where schemaname = $1 and tablename = $2 and indexname not like '%_pkey'"
COLUMNS = (
    "source_id",
    "n",
    "kind",
    "collection_id",
    "metadata",
    "text",
    "start_char",
    "end_char",
    "recorded_at",
    "embedding",
)


class Asked(NamedTuple):
    """A scope, as a request says it and as retrieval knows it."""

    body: Mapping[str, Any]
    scope: Scope


class Document(NamedTuple):
    id: UUID
    collection_id: UUID
    metadata: str


class Held(NamedTuple):
    """What there is to be searched."""

    index: Index
    collections: tuple[UUID, ...]
    scopes: Mapping[str, Asked]


async def filled(
    http: aiohttp.ClientSession, db: asyncpg.Pool, embedder: Embedder, writer: Writer, size: int
) -> Held:
    """So many passages, spread over three collections, with metadata that a tenth and a hundredth of them have."""
    ids = [await _collection(http, name) for name in COLLECTIONS]
    documents = list(_documents(ids, size // PASSAGES))
    index = slots_of({embedder.name: embedder.dimensions})[embedder.name, 1]
    sentences = writer.sentences(SENTENCES)
    passages = writer.passages(
        sentences, await embedder.embed(sentences), len(documents) * PASSAGES, several=SEVERAL
    )
    async with db.acquire() as connection:
        for row in await connection.fetch(INDEXES, index.schema, index.table):
            await connection.execute(f"drop index {index.schema}.{row['indexname']}")
        await connection.execute(DOCUMENTS, *zip(*documents, strict=True), PASSAGES)
        first = 0
        for some in passages:
            await connection.copy_records_to_table(
                index.table, schema_name=index.schema, columns=COLUMNS, records=_rows(documents, first, some)
            )
            first += len(some.texts)
        for statement in (*index.indexes, "vacuum analyze {table}"):
            await connection.execute(statement.format(table=f"{index.schema}.{index.table}"), timeout=1200)
        for table in ("documents", "memberships"):
            await connection.execute(f"vacuum analyze knowledge.{table}")
    return Held(index, tuple(ids), _scopes(ids))


async def _collection(http: aiohttp.ClientSession, name: str) -> UUID:
    """A collection, once it can be read."""
    async with http.post("/v1/collections", json={"name": name}) as answer:
        made = await answer.json()
    await (await http.get(f"/v1/collections/{name}", headers={"Headwater-After": made["position"]})).read()
    return UUID(made["id"])


def _documents(collections: Sequence[UUID], count: int) -> Iterator[Document]:
    inside = Random(1).choices(collections, list(COLLECTIONS.values()), k=count)
    for n, collection in enumerate(inside):
        yield Document(new_id(), collection, as_json({"floor": n % 100, "wing": n % 10}))


def _rows(documents: Sequence[Document], first: int, passages: Passages) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for place, (text, vector) in enumerate(zip(passages.texts, passages.vectors, strict=True), start=first):
        document, n = documents[place // PASSAGES], place % PASSAGES
        start = 900 * n
        yield (
            document.id,
            n,
            "document",
            document.collection_id,
            document.metadata,
            text,
            start,
            start + len(text),
            now,
            HalfVector(vector),
        )


def _scopes(collections: Sequence[UUID]) -> Mapping[str, Asked]:
    """From everything to little, by either kind of filter."""
    _, tenth, hundredth = collections
    return {
        "everything": Asked({}, Scope()),
        "10 % by collection": Asked({"collection": "bench-tenth"}, Scope(collection_ids=(tenth,))),
        "1 % by collection": Asked({"collection": "bench-hundredth"}, Scope(collection_ids=(hundredth,))),
        "10 % by metadata": Asked({"metadata": {"wing": 3}}, Scope(metadata={"wing": 3})),
        "1 % by metadata": Asked({"metadata": {"floor": 42}}, Scope(metadata={"floor": 42})),
    }
