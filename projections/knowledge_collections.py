"""The rows of collections and of their indexes."""

from collections.abc import Iterator
from typing import Any

from events.envelope import Recorded
from events.knowledge import (
    CollectionCreated,
    CollectionDeleted,
    CollectionDescribed,
    CollectionEvent,
    CollectionRenamed,
    IndexBegun,
    IndexDropped,
    IndexPromoted,
    IndexReverted,
)
from projections.changes import Change, Table, delete, patch, upsert
from projections.knowledge_tables import cut, touched

COLLECTIONS = Table(
    "collections",
    {
        "id": "uuid",
        "name": "text not null",
        "description": "text not null",
        "strategy": "text not null",
        "chunk_size": "int not null",
        "overlap": "int not null",
        "active": "int not null",
        "candidate": "int",
        "previous": "int",
        "promoted_at": "timestamptz",
        "created_at": "timestamptz not null",
        "created_by": "text not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=("create index on {table} (name)", "create index on {table} (position)"),
)

INDEXES = Table(
    "indexes",
    {
        "collection_id": "uuid",
        "number": "int",
        "embedder": "text not null",
        "strategy": "text",
        "chunk_size": "int",
        "overlap": "int",
        "begun_at": "timestamptz not null",
        "promoted_at": "timestamptz",
    },
    key=("collection_id", "number"),
)
"""The live ones. Chunking is null where each document is cut as it was uploaded."""


def collection_rows(event: CollectionEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    """What an event of a collection does."""
    id, now = event.collection_id, touched(recorded)
    match event:
        case CollectionCreated() as e:
            yield upsert(
                COLLECTIONS,
                id=id,
                name=e.title,
                description=e.description,
                active=1,
                created_at=recorded.at,
                created_by=recorded.actor,
                position=recorded.position,
                **cut(e.chunking),
                **now,
            )
            yield upsert(
                INDEXES,
                collection_id=id,
                number=1,
                embedder=e.embedder,
                begun_at=recorded.at,
                promoted_at=recorded.at,
            )
        case CollectionRenamed() as e:
            yield patch(COLLECTIONS, id=id, name=e.title, **now)
        case CollectionDescribed() as e:
            yield patch(COLLECTIONS, id=id, description=e.description, **now)
        case IndexBegun() as e:
            yield upsert(
                INDEXES,
                collection_id=id,
                number=e.number,
                embedder=e.embedder,
                begun_at=recorded.at,
                **(cut(e.chunking) if e.chunking else {}),
            )
            yield patch(COLLECTIONS, id=id, candidate=e.number, previous=None, **now)
        case IndexPromoted() | IndexReverted() as e:
            yield from _answers(e, recorded, now)
        case IndexDropped() as e:
            yield delete(INDEXES, collection_id=id, number=e.number)
            yield patch(COLLECTIONS, id=id, candidate=None, previous=None, **now)
        case CollectionDeleted():
            yield delete(INDEXES, collection_id=id)
            yield delete(COLLECTIONS, id=id)


def _answers(
    e: IndexPromoted | IndexReverted, recorded: Recorded[Any], now: dict[str, Any]
) -> Iterator[Change]:
    """Of the two indexes one is active; the other is kept as the one before, or is a candidate again."""
    promoted = isinstance(e, IndexPromoted)
    yield patch(
        COLLECTIONS,
        id=e.collection_id,
        active=e.number,
        candidate=None if promoted else e.before,
        previous=e.before if promoted else None,
        promoted_at=recorded.at if promoted else None,
        **now,
    )
    yield patch(INDEXES, collection_id=e.collection_id, number=e.number, promoted_at=recorded.at)
