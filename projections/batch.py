"""A read model being written: rows and checkpoint in one transaction, portion by portion, and nothing skipped."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import asyncpg

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.blobs import BlobsUnavailable
from infra.jetstream import ApiError
from infra.reader import Reader
from infra.telemetry import traces
from projections import checkpoints
from projections.checkpoints import Overtaken
from projections.fold import fold
from projections.projection import Projection
from projections.writer import write

Fetch = Callable[[str], Awaitable[bytes | None]]
"""The bytes of a blob, hash checked; None when it was erased."""

Applied = Callable[[Sequence[Recorded[Event]], int, float], None]
"""Told after each commit: the events, the position it left the model at, and the seconds it took."""

AT_ONCE = 8
"""Blobs fetched in parallel."""
BLOBS = 32
"""Events with blobs applied together: what their blobs hold is in memory at once."""

EXPECTED = 60.0
"""Seconds from an event in which a blob that it names and that is missing may be stored again: see
`infra/blobs/expecting.py`. Rows of what is deleted do not wait: its blobs go after the read models have passed it."""

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a server ends in the middle of a word
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    ApiError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""Failures of what is around, not of the event: try the same again."""


class Halted(Exception):
    """The event at `position` cannot be applied; everything before it has been."""

    def __init__(self, position: int, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}"[:2000])
        self.position = position


async def take(reader: Reader, most: int, *, wait: float | None = None) -> Sequence[Recorded[Event]]:
    """The next events of a stream, as `Reader.take`. Raises `Halted` at one that cannot be decoded."""
    try:
        return await reader.take(most, wait=wait)
    except Undecodable as cause:
        raise Halted(reader.position + 1, cause) from cause


async def batches(
    reader: Reader, most: int, *, wait: float
) -> AsyncGenerator[tuple[Sequence[Recorded[Event]], int], None]:
    """Batch after batch, for ever, each with the position behind it: one is read while the one before is written.

    One without events tells that nothing came for `wait` seconds, or only reservations. Raises as `take`.
    """
    reading = asyncio.ensure_future(take(reader, most, wait=wait))
    try:
        while True:
            events, position = await reading, reader.position
            reading = asyncio.ensure_future(take(reader, most, wait=wait))
            yield events, position
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


class Model:
    """The rows of a projection in one schema. Everything up to `position` is in them."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        projection: Projection,
        schema: str,
        *,
        position: int,
        fetch: Fetch,
        applied: Applied = lambda events, now, seconds: None,
    ) -> None:
        self.position = position
        self._connection = connection
        self._projection = projection
        self._schema = schema
        self._fetch = fetch
        self._applied = applied

    @property
    def _serves(self) -> bool:
        return self._schema == self._projection.name

    async def apply(self, events: Sequence[Recorded[Event]], now: int) -> None:
        """Apply events, and stand at `now`, which is the position of the last of them or one behind it.

        Raises `Halted`, having applied all before that event; `Overtaken`, or one of `AWAY`: then apply nothing more.
        """
        *earlier, last = self._portions(events)
        for portion in earlier:
            await self._apply(portion, portion[-1].position)
        await self._apply(last, now)

    def _portions(self, events: Sequence[Recorded[Event]]) -> Iterator[Sequence[Recorded[Event]]]:
        start = blobs = 0
        for n, each in enumerate(events):
            if self._projection.blob(each.event):
                if blobs == BLOBS:
                    yield events[start:n]
                    start, blobs = n, 0
                blobs += 1
        yield events[start:]

    async def _apply(self, events: Sequence[Recorded[Event]], now: int) -> None:
        try:
            await self._commit(events, now)
        except (Overtaken, *AWAY):
            raise
        except Exception as cause:
            if len(events) < 2:
                raise Halted(events[0].position if events else now, cause) from cause
            half = len(events) // 2  # as far as it goes: nothing waits for what comes after it
            await self._apply(events[:half], events[half - 1].position)
            await self._apply(events[half:], now)

    async def _commit(self, events: Sequence[Recorded[Event]], now: int) -> None:
        began = time.perf_counter()
        with self._traced(events):
            await self._write(events, now)
        self.position = now
        self._applied(events, now, time.perf_counter() - began)

    def _traced(self, events: Sequence[Recorded[Event]]) -> AbstractContextManager[object]:
        """A span in the traces of the events, for the model that serves: a rebuild is no part of what caused them."""
        name = self._projection.name
        if not self._serves:
            return nullcontext()
        attributes: dict[str, str | int] = {
            "messaging.destination.name": self._projection.stream,
            "headwater.events": len(events),
        }
        return traces.batch_span((each.trace for each in events), f"project {name}", attributes)

    async def _write(self, events: Sequence[Recorded[Event]], now: int) -> None:
        projection, contents = self._projection, await self._contents(events)
        folded = fold(
            change for each in events for change in projection.changes(each, contents.get(each.position))
        )
        async with self._connection.transaction():
            await checkpoints.advance(
                self._connection, self._schema, projection.fingerprint, before=self.position, now=now
            )
            await write(self._connection, self._schema, folded.values())

    async def _contents(self, events: Sequence[Recorded[Event]]) -> dict[int, Any]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def content(recorded: Recorded[Event], key: str) -> tuple[int, Any]:
            async with gate:
                data = await self._fetch(key)
            if data is None and self._serves and _is_young(recorded):
                raise BlobsUnavailable(f"blob {key} of {recorded.cursor} is not there now")
            return recorded.position, None if data is None else self._projection.content(recorded.event, data)

        wanted = [(each, key) for each in events if (key := self._projection.blob(each.event))]
        return dict(await asyncio.gather(*(content(each, key) for each, key in wanted))) if wanted else {}


def _is_young(recorded: Recorded[Event]) -> bool:
    """An event from the future, as after a clock was set back, is not young for ever."""
    return abs((datetime.now(UTC) - recorded.at).total_seconds()) < EXPECTED
