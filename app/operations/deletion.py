"""Deletion that can be proved: every place where something of an aggregate was, and what is left there."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from app.operations.whereabouts import Place
from events.envelope import Event, Key, Recorded
from handlers.refusals import Conflict, NotFound
from infra.blobs import Blobs
from infra.blobs.names import named
from infra.log import TOMBSTONE, Log

ERASURE = (
    "select position, messages, erased, kept, recorded_at, recorded_position from operations.erasures "
    "where id = $1 and what = $2"
)

PARTS = (
    "select t.aggregate, count(*) as deleted, count(e.id) as erased from ({}) t "
    "left join operations.erasures e on e.id = t.id and e.what = t.aggregate "
    "where t.correlation_id = $1 and t.id <> $2 group by t.aggregate order by t.aggregate"
)


class PlaceView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place, and what is left there."""

    place: str
    """A table with the column that belongs to what was deleted, a stream, or the blob store."""
    kind: Literal["rows", "vectors", "messages", "blobs"]
    left: int
    position: str | None = None
    """Up to where of the log this place is known; the tombstone's position or behind it once the deletion is there."""


class ErasureView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the eraser did."""

    messages: int
    """Overwritten in the log."""
    blobs: dict[str, int]
    """Erased, by the event that named them first."""
    shared: dict[str, int]
    """Blobs that stay because something else has the same content, which keeps it until it is deleted, too."""
    at: datetime
    position: str


class PartView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What belonged to it, and was deleted with it."""

    what: str
    deleted: int
    erased: int
    """How many of them the eraser is done with."""


class DeletionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a deletion is. `done`: nothing is left anywhere but the tombstone, which says only that it was."""

    id: UUID
    what: str
    status: Literal["pending", "done"]
    deleted_at: datetime
    position: str
    """Of the tombstone."""
    left: int
    """The sum over all places."""
    erasure: ErasureView | None
    """None until the eraser has done its work."""
    parts: tuple[PartView, ...]
    places: tuple[PlaceView, ...]


class Deletions:
    """Looks everything up where it would be: nothing here is remembered."""

    def __init__(
        self,
        *,
        log: Log,
        db: asyncpg.Pool,
        blobs: Blobs,
        places: Mapping[str, tuple[Place, ...]],
        streams: Mapping[str, str],
    ) -> None:
        """`places` are those of each kind of aggregate (`jobsite.session`), `streams` those of the read models."""
        self._log = log
        self._db = db
        self._blobs = blobs
        self._places = places
        self._streams = streams

    async def report(self, key: Key) -> DeletionView:
        """How far the deletion of an aggregate is. Raises `NotFound`, `Conflict`."""
        history = await self._log.load(key)
        what = key.aggregate.replace("_", " ")
        if not history:
            raise NotFound("NOT_FOUND", f"There is no {what} {key.id}, and there was none.")
        tombstone = history[-1]
        if tombstone.event.name != TOMBSTONE:
            raise Conflict("NOT_DELETED", f"The {what} {key.id} has not been deleted.")
        kind = f"{key.context}.{key.aggregate}"
        rows = await self._rows(kind, key.id)
        # Only then its parts: one whose rows have just gone has a tombstone by now, and is waited for.
        parts, messages, blobs, erasure = await asyncio.gather(
            self._parts(key, tombstone),
            self._messages(key, tombstone),
            self._stored(history),
            self._erasure(key),
        )
        places = (*rows, messages, *blobs)
        left = sum(each.left for each in places)
        behind = any(_behind(each.position, tombstone) for each in rows)
        waiting = left or behind or erasure is None or any(each.erased < each.deleted for each in parts)
        return DeletionView(
            id=key.id,
            what=kind,
            status="pending" if waiting else "done",
            deleted_at=tombstone.at,
            position=tombstone.cursor,
            left=left,
            erasure=erasure,
            parts=parts,
            places=places,
        )

    async def _rows(self, kind: str, id: UUID) -> list[PlaceView]:
        places = self._places.get(kind, ())
        if not places:
            return []
        async with (
            self._db.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch("select projection, position from headwater.checkpoints")
            at = {row["projection"]: row["position"] for row in rows}
            left = [await connection.fetchval(each.statement, id) for each in places]
        return [
            PlaceView(
                place=f"{each.table}.{each.column}",
                kind=each.kind,
                left=count,
                position=f"{self._streams[each.projection]}@{at.get(each.projection, 0)}",
            )
            for each, count in zip(places, left, strict=True)
        ]

    async def _parts(self, key: Key, tombstone: Recorded[Any]) -> tuple[PartView, ...]:
        tombstones = " union all ".join(f"select * from {name}.tombstones" for name in self._streams)  # noqa: S608
        rows = await self._db.fetch(PARTS.format(tombstones), tombstone.correlation_id, key.id)
        return tuple(
            PartView(what=row["aggregate"], deleted=row["deleted"], erased=row["erased"]) for row in rows
        )

    async def _messages(self, key: Key, tombstone: Recorded[Any]) -> PlaceView:
        held = Counter(await self._log.held(key))
        held[TOMBSTONE] -= 1
        return PlaceView(place=key.stream, kind="messages", left=held.total(), position=tombstone.cursor)

    async def _stored(self, history: Iterable[Recorded[Event]]) -> list[PlaceView]:
        """Blobs that events still name: gone from the store they may be, but the events come after them."""
        kinds = {blob: each.event.name for each in history for blob in named(each.event)}
        found = await asyncio.gather(*(self._blobs.stat(each) for each in kinds))
        left = Counter(kinds[blob.key] for blob in found if blob)
        return [
            PlaceView(place=f"blobs of {each}", kind="blobs", left=left[each]) for each in sorted(left)
        ] or [PlaceView(place="blobs", kind="blobs", left=0)]

    async def _erasure(self, key: Key) -> ErasureView | None:
        row = await self._db.fetchrow(ERASURE, key.id, f"{key.context}.{key.aggregate}")
        return row and ErasureView(
            messages=row["messages"],
            blobs=msgspec.json.decode(row["erased"], type=dict[str, int]),
            shared=msgspec.json.decode(row["kept"], type=dict[str, int]),
            at=row["recorded_at"],
            position=f"OPERATIONS@{row['recorded_position']}",
        )


def _behind(position: str | None, tombstone: Recorded[Any]) -> bool:
    """Whether a read model of the tombstone's stream has yet to hear of it."""
    stream, _, at = (position or "").partition("@")
    return stream == tombstone.stream and int(at) < tombstone.position
