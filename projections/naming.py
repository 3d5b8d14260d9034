"""Who names which blob: a table in every read model, by which the eraser knows what nobody needs any more."""

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


def naming(recorded: Recorded[Any]) -> Iterator[Change]:
    """An aggregate names what its events name, until it is deleted."""
    event = recorded.event
    if event.name == TOMBSTONE:
        yield delete(NAMED_BLOBS, id=event.key.id)
        return
    for blob in sorted(named(event)):
        yield upsert(NAMED_BLOBS, id=event.key.id, blob=blob, aggregate=f"{event.context}.{event.aggregate}")
