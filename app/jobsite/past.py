"""What was known then: rows folded in memory from the log, by the same pure functions that fill the read model."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.http.moments import in_utc
from app.http.positions import parse_position
from app.http.problems import Malformed
from events.envelope import Event, Key, Recorded
from events.jobsite import Transcribed, TranscriptCorrected
from handlers.refusals import Invalid, Unavailable
from infra.blobs import OWN, BlobMissing, Blobs
from infra.jetstream import LogUnavailable
from infra.log import TOMBSTONE, Log
from projections.changes import Change, Table
from projections.projection import Projection

AT_ONCE = 16
"""Aggregates that are read side by side."""
HEARD = (Transcribed, TranscriptCorrected)
"""Each brings the whole text anew: of a recording that was corrected a thousand times only the last is read."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """A time, or a position of the log."""

    text: str
    at: datetime | None = None
    position: int | None = None

    def includes(self, recorded: Recorded[Event]) -> bool:
        if self.position is not None:
            return recorded.position <= self.position
        return self.at is not None and recorded.at <= self.at


def moment(text: str) -> Moment:
    """Raises `Malformed` and `Invalid`."""
    if "@" in text:
        position = parse_position(text, "asOf")
        if position.stream != "JOBSITE":
            raise Invalid("WRONG_STREAM", "asOf takes a position of JOBSITE.", field="asOf")
        return Moment(str(position), position=position.sequence)
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        return Moment(text, at=in_utc(at if at.tzinfo else at.replace(tzinfo=UTC), "asOf"))
    except ValueError:
        raise Malformed(
            "INVALID_AS_OF", "asOf takes a time such as 2026-11-16T07:30:00Z or a position such as JOBSITE@17.",
            field="asOf",
        ) from None  # fmt: skip


@dataclass
class Memory:
    """Tables of a read model, without a database."""

    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    last: Recorded[Event] | None = None
    """The newest event of all."""

    def of(self, table: Table, **where: Any) -> list[Row]:
        """The rows of a table with these values, by their keys."""
        rows = self.rows.get(table.name, {})
        found = sorted(rows.items(), key=lambda each: tuple(map(_sortable, each[0])))
        return [row for _, row in found if all(row[name] == value for name, value in where.items())]

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._apply(change, self.rows.setdefault(change.table.name, {}))

    def _apply(self, change: Change, rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
        match change.kind:
            case "upsert":
                new = dict.fromkeys(change.table.columns) | dict(
                    zip(change.table.key, change.key, strict=True)
                )
                rows.setdefault(change.key, new).update(change.values)
            case "patch" if change.key in rows:
                rows[change.key].update(change.values)
            case "increment" if change.key in rows:
                row = rows[change.key]
                row.update({name: (row[name] or 0) + more for name, more in change.values.items()})
            case "delete":
                width = len(change.key)
                for key in [each for each in rows if each[:width] == change.key]:
                    del rows[key]


class Past:
    """Reads aggregates as they were."""

    def __init__(self, log: Log, blobs: Blobs, projection: Projection) -> None:
        self._log = log
        self._blobs = blobs
        self._projection = projection

    async def of(
        self, keys: Collection[Key], then: Moment, *, without: tuple[type[Event], ...] = ()
    ) -> Memory:
        """The rows that these aggregates had. What has been deleted since has none: it is gone for the past, too, and
        all that is told of it is its deletion.

        Of events named in `without` the blobs are not read. Raises `Unavailable`.
        """
        gate = asyncio.Semaphore(AT_ONCE)
        memory = Memory()
        try:
            for each in await asyncio.gather(*(self._history(key, then, gate) for key in keys)):
                heard = [recorded for recorded in each if isinstance(recorded.event, HEARD)]
                for recorded in each:
                    replaced = recorded in heard[:-1]
                    content = None if replaced else await self._content(recorded.event, without)
                    memory.apply(self._projection.rows(recorded, content))
                    if memory.last is None or recorded.position > memory.last.position:
                        memory.last = recorded
        except LogUnavailable as away:
            raise Unavailable("LOG_UNAVAILABLE", f"The log does not answer; ask again. {away}") from away
        return memory

    async def _history(self, key: Key, then: Moment, gate: asyncio.Semaphore) -> list[Recorded[Event]]:
        async with gate:
            history = await self._log.load(key)
        if history and history[-1].event.name == TOMBSTONE:
            history = history[-1:]
        return [each for each in history if then.includes(each)]

    async def _content(self, event: Event, without: tuple[type[Event], ...]) -> Any:
        blob = self._projection.blob(event)
        if blob is None or isinstance(event, without):
            return None
        try:
            return self._projection.content(event, await self._blobs.get(blob, OWN))
        except BlobMissing:
            return None


def _sortable(part: Any) -> tuple[str, Any]:
    return (type(part).__name__, part)


def keys(aggregate: str, ids: Iterable[UUID]) -> list[Key]:
    """The keys of aggregates of `jobsite`."""
    return [Key("jobsite", aggregate, id) for id in ids]
