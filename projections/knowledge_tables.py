"""The tables of documents in the read model of `knowledge`, and what several rows say alike."""

from typing import Any

import msgspec

from events.envelope import Recorded
from events.knowledge import Chunking
from infra.retrieval import KEY, Index
from projections.changes import Table

DOCUMENTS = Table(
    "documents",
    {
        "id": "uuid",
        "collection_id": "uuid not null",
        "file_name": "text not null",
        "title": "text",
        "media_type": "text not null",
        "blob": "text not null",
        "text_blob": "text",
        "size": "bigint not null",
        "pages": "int",
        "pages_without_text": "int",
        "characters": "int",
        "language": "text",
        "metadata": "jsonb not null",
        "strategy": "text not null",
        "chunk_size": "int not null",
        "overlap": "int not null",
        "status": "text not null",
        "stage": "text not null",
        "ingestion_id": "uuid not null",
        "uploaded_at": "timestamptz not null",
        "uploaded_by": "text not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (collection_id, position)",
        "create index on {table} (collection_id, status, position) include (size)",
        "create index on {table} (status, position)",
        "create index on {table} (collection_id, blob)",
    ),
)

INGESTIONS = Table(
    "ingestions",
    {
        "document_id": "uuid",
        "id": "uuid",
        "status": "text not null",
        "stage": "text not null",
        "queued_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("document_id", "id"),
    indexes=(
        "create index on {table} (id)",
        "create index on {table} (position)",
        "create index on {table} (status, position)",
    ),
)

STAGES = Table(
    "ingestion_stages",
    {
        "document_id": "uuid",
        "ingestion_id": "uuid",
        "n": "int",
        "stage": "text not null",
        "state": "text not null",
        "attempts": "int not null",
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "note": "text",
        "error_code": "text",
        "error_detail": "text",
    },
    key=("document_id", "ingestion_id", "n"),
)

MEMBERSHIPS = Table(
    "memberships",
    {
        "document_id": "uuid",
        "slot": "int",
        "collection_id": "uuid not null",
        "number": "int not null",
        "state": "text not null",
        "chunks": "int",
        "error_code": "text",
        "error_detail": "text",
    },
    key=("document_id", "slot"),
    indexes=("create index on {table} (collection_id, number, state) include (chunks)",),
)
"""Which indexes of its collection a document is in. Indexes of one parity replace each other: so do their rows."""


def chunk_table(index: Index) -> Table:
    """The chunks in one of the indexes of every collection that has an index of this embedder and parity."""
    return Table(index.table, index.columns, key=KEY, indexes=index.indexes)


def touched(recorded: Recorded[Any]) -> dict[str, Any]:
    """When a row was changed last, and by which event."""
    return {"updated_at": recorded.at, "revision": recorded.position}


def as_json(value: object) -> str:
    """As a `jsonb` column takes it."""
    return msgspec.json.encode(value).decode()


def cut(chunking: Chunking) -> dict[str, Any]:
    """The columns that say how a text is cut."""
    return {"strategy": chunking.strategy, "chunk_size": chunking.size, "overlap": chunking.overlap}
