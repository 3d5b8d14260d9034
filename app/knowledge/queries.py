"""The SQL that reads collections and documents. A document whose collection is gone is gone too."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.knowledge.views import (
    ChunkingView,
    ChunkView,
    CollectionView,
    DocumentSummary,
    Fault,
    IndexView,
    KnownDocument,
)

MENTIONED = 10
"""Collections that a refusal names."""
DOCUMENT = (
    "d.id, c.name as collection, d.file_name, d.title, d.media_type, d.size, d.blob as sha256, d.pages, "
    "d.pages_without_text, d.characters, d.language, coalesce(m.chunks, 0) as chunks, d.metadata, "
    "coalesce(a.strategy, d.strategy) as strategy, coalesce(a.chunk_size, d.chunk_size) as chunk_size, "
    "coalesce(a.overlap, d.overlap) as overlap, d.status, d.stage, d.ingestion_id, d.uploaded_at, d.uploaded_by, "
    "d.updated_at"
)
JOINED = (
    "knowledge.documents d join knowledge.collections c on c.id = d.collection_id "
    "left join knowledge.indexes a on a.collection_id = c.id and a.number = c.active "
    "left join knowledge.memberships m on m.document_id = d.id and m.number = c.active and m.state = 'indexed'"
)

COUNTS = (
    "select collection_id, status, count(*) as documents, sum(size)::bigint as bytes from knowledge.documents "
    "where collection_id = any($1::uuid[]) group by collection_id, status"
)
CHUNKS = (
    "select m.collection_id, sum(m.chunks)::bigint as chunks from knowledge.memberships m "
    "join knowledge.collections c on c.id = m.collection_id and m.number = c.active "
    "where m.state = 'indexed' and m.collection_id = any($1::uuid[]) group by m.collection_id"
)


async def names(db: asyncpg.Pool) -> list[str]:
    """Names of collections, some more than a refusal mentions."""
    rows = await db.fetch("select name from knowledge.collections order by name limit $1", MENTIONED + 1)
    return [row["name"] for row in rows]


async def collection(db: asyncpg.Pool, *, id: UUID | None = None, name: str | None = None) -> UUID | None:
    """The id of a collection that can be read."""
    found: UUID | None = await db.fetchval(
        "select id from knowledge.collections where id = $1 or name = $2", id, name
    )
    return found


async def collections(
    db: asyncpg.Pool, *, ids: Sequence[UUID] | None = None, before: int | None = None, limit: int = 1
) -> list[tuple[CollectionView, int]]:
    """Collections, newest first, each with its position; these, or those before a position.

    All of it as of one moment: a collection that is deleted meanwhile is whole, or not there.
    """
    async with db.acquire() as one, one.transaction(isolation="repeatable_read", readonly=True):
        rows = await one.fetch(
            "select * from knowledge.collections where ($1::uuid[] is null or id = any($1)) "
            "and ($2::bigint is null or position < $2) order by position desc limit $3",
            None if ids is None else list(ids),
            before,
            limit,
        )
        found = [row["id"] for row in rows]
        counts = await one.fetch(COUNTS, found)
        chunks = await one.fetch(CHUNKS, found)
        indexes = await one.fetch(
            "select * from knowledge.indexes where collection_id = any($1::uuid[]) order by number", found
        )
    by_status: dict[UUID, dict[str, asyncpg.Record]] = defaultdict(dict)
    for each in counts:
        by_status[each["collection_id"]][each["status"]] = each
    chunked = {each["collection_id"]: each["chunks"] for each in chunks}
    return [
        (
            _collection(
                row,
                by_status[row["id"]],
                chunked.get(row["id"], 0),
                [each for each in indexes if each["collection_id"] == row["id"]],
            ),
            row["position"],
        )
        for row in rows
    ]


def _collection(
    row: asyncpg.Record, counts: dict[str, asyncpg.Record], chunks: int, indexes: Sequence[asyncpg.Record]
) -> CollectionView:
    active = next(each for each in indexes if each["number"] == row["active"])
    return CollectionView(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        embedder=active["embedder"],
        chunking=chunking(active if active["strategy"] else row),
        documents=sum(each["documents"] for each in counts.values()),
        by_status={status: each["documents"] for status, each in sorted(counts.items())},
        chunks=chunks,
        bytes=sum(each["bytes"] for each in counts.values()),
        indexes=tuple(_index(each, row) for each in indexes),
        created_at=row["created_at"],
        created_by=row["created_by"],
        updated_at=row["updated_at"],
    )


def _index(index: asyncpg.Record, row: asyncpg.Record) -> IndexView:
    roles = {row["active"]: "active", row["candidate"]: "candidate", row["previous"]: "previous"}
    return IndexView(
        number=index["number"],
        role=roles[index["number"]],  # type: ignore[arg-type]
        embedder=index["embedder"],
        chunking=chunking(index) if index["strategy"] else None,
        begun_at=index["begun_at"],
        promoted_at=index["promoted_at"],
    )


def chunking(row: asyncpg.Record) -> ChunkingView:
    return ChunkingView(strategy=row["strategy"], size=row["chunk_size"], overlap=row["overlap"])


async def document(db: asyncpg.Pool, document_id: UUID) -> asyncpg.Record | None:
    return await db.fetchrow(
        f"select {DOCUMENT}, d.blob, d.text_blob, d.revision, d.collection_id from {JOINED} where d.id = $1",  # noqa: S608
        document_id,
    )


async def documents(
    db: asyncpg.Pool,
    *,
    collection_id: UUID | None,
    status: str | None,
    text: str | None,
    before: int | None,
    limit: int,
) -> list[tuple[DocumentSummary, int]]:
    """The newest documents before a position of the log, each with its own position."""
    values: list[Any] = []
    conditions = []
    for value, condition in (
        (collection_id, "d.collection_id = ${n}"),
        (status, "d.status = ${n}"),
        (before, "d.position < ${n}"),
        (text and f"%{_literal(text)}%", "(d.file_name ilike ${n} or d.title ilike ${n})"),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(n=len(values)))
    where = " and ".join(conditions) or "true"
    rows = await db.fetch(
        f"select {DOCUMENT}, d.position from {JOINED} where {where} "  # noqa: S608
        f"order by d.position desc limit ${len(values) + 1}",
        *values,
        limit,
    )
    return [(summary(row), row["position"]) for row in rows]


def _literal(text: str) -> str:
    """Text as a pattern that matches itself."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def summary(row: asyncpg.Record) -> DocumentSummary:
    return DocumentSummary(**fields(row))


def fields(row: asyncpg.Record) -> dict[str, Any]:
    """What a summary shows."""
    plain = {
        name: row[name] for name in DocumentSummary.__struct_fields__ if name not in {"metadata", "chunking"}
    }
    return {**plain, "metadata": msgspec.json.decode(row["metadata"]), "chunking": chunking(row)}


async def answering(db: asyncpg.Pool, collection_id: UUID) -> tuple[str, int] | None:
    """The embedder and the number of the index that answers."""
    row = await db.fetchrow(
        "select i.embedder, i.number from knowledge.collections c join knowledge.indexes i "
        "on i.collection_id = c.id and i.number = c.active where c.id = $1",
        collection_id,
    )
    return (row["embedder"], row["number"]) if row else None


async def chunks(
    db: asyncpg.Pool, table: str, document_id: UUID, *, after: int, limit: int
) -> list[ChunkView]:
    """The chunks of a document behind one, in their order."""
    rows = await db.fetch(
        f"select n, text, start_char, end_char, page from knowledge.{table} "  # noqa: S608
        "where source_id = $1 and n > $2 order by n limit $3",
        document_id,
        after,
        limit,
    )
    return [ChunkView(**dict(row)) for row in rows]


async def known(db: asyncpg.Pool, collection_id: UUID, hashes: Sequence[str]) -> list[KnownDocument]:
    """Documents of a collection by their content."""
    rows = await db.fetch(
        "select d.blob as sha256, d.id as document_id, d.ingestion_id, d.status, s.error_code, s.error_detail "
        "from knowledge.documents d left join knowledge.ingestion_stages s on s.document_id = d.id "
        "and s.ingestion_id = d.ingestion_id and s.state = 'failed' "
        "where d.collection_id = $1 and d.blob = any($2::text[])",
        collection_id,
        list(hashes),
    )
    return [
        KnownDocument(
            sha256=row["sha256"],
            document_id=row["document_id"],
            ingestion_id=row["ingestion_id"],
            status=row["status"],
            error=fault(row),
        )
        for row in rows
    ]


def fault(row: asyncpg.Record) -> Fault | None:
    """What went wrong at a stage, if anything did."""
    return Fault(code=row["error_code"], detail=row["error_detail"] or "") if row["error_code"] else None


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Documents by status."""
    rows = await db.fetch("select status, count(*) from knowledge.documents group by status")
    return {row["status"]: row["count"] for row in rows}


async def answerers(db: asyncpg.Pool, collections: Sequence[UUID] | None) -> list[asyncpg.Record]:
    """Of some collections or all: the embedder and the number of the index that answers."""
    rows: list[asyncpg.Record] = await db.fetch(
        "select c.id, i.embedder, i.number from knowledge.collections c join knowledge.indexes i "
        "on i.collection_id = c.id and i.number = c.active where $1::uuid[] is null or c.id = any($1) order by c.id",
        None if collections is None else list(collections),
    )
    return rows


async def named(db: asyncpg.Pool) -> list[asyncpg.Record]:
    """Every collection by its name."""
    rows: list[asyncpg.Record] = await db.fetch("select id, name from knowledge.collections")
    return rows


async def titles(db: asyncpg.Pool, documents: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    """What a hit shows of its document."""
    rows = await db.fetch(
        "select d.id, d.title, d.file_name, d.media_type, d.blob, c.name as collection from knowledge.documents d "
        "join knowledge.collections c on c.id = d.collection_id where d.id = any($1::uuid[])",
        list(documents),
    )
    return {row["id"]: row for row in rows}
