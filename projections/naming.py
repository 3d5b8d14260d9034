"""Two tables in every read model: who names which blob, so that the eraser knows what nobody needs any more; and who
was deleted, with what."""

from collections.abc import Iterator
from typing import Any

from events.envelope import Recorded
from infra.blobs.names import named
from infra.log import TOMBSTONE
from projections.changes import Change, Table, delete, upsert

NAMED_BLOBS = Table(
    "named_blobs",
    {"id": "uuid", "blob": "text", "aggregate": "text not null"},
    key=("id", "blob"),
    indexes=("create index on {table} (blob)",),
)

TOMBSTONES = Table(
    "tombstones",
    {
        "id": "uuid",
        "aggregate": "text not null",
        "correlation_id": "uuid not null",
        "position": "bigint not null",
    },
    key=("id",),
    indexes=("create index on {table} (correlation_id)",),
)
"""What went together has one correlation: that of the request to delete it."""

OF_ALL = (NAMED_BLOBS, TOMBSTONES)


def naming(recorded: Recorded[Any]) -> Iterator[Change]:
    """An aggregate names what its events name, until it is deleted."""
    event = recorded.event
    blobs = named(event)
    for blob in event.forgets:
        yield delete(NAMED_BLOBS, id=event.key.id, blob=blob)
    if not blobs and event.name != TOMBSTONE:
        return  # as most: a replay is spared the rest
    id, aggregate = event.key.id, f"{event.context}.{event.aggregate}"
    if event.name == TOMBSTONE:
        yield delete(NAMED_BLOBS, id=id)
        yield upsert(
            TOMBSTONES,
            id=id,
            aggregate=aggregate,
            correlation_id=recorded.correlation_id,
            position=recorded.position,
        )
        return
    for blob in sorted(blobs):
        yield upsert(NAMED_BLOBS, id=id, blob=blob, aggregate=aggregate)
