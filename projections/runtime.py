"""The projector: one owner at a time follows the stream, batch by batch, and never skips."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.log import Log
from projections import checkpoints
from projections.batch import Fetch, apply
from projections.checkpoints import Checkpoint, Overtaken
from projections.projection import Projection

BATCH = 2000
POLL = 0.5
"""Seconds between two tries to become the owner, or to go on after a failure."""
LONGEST = 30.0

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
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


@dataclass(frozen=True)
class Observer:
    """Who is told: `applied` after each batch (events, position), `halted` once a position, `resumed` after it."""

    applied: Callable[[Projection, Sequence[Recorded[Event]], int], None] = lambda *_: None
    halted: Callable[[Projection, Halted], Awaitable[None]] | None = None
    resumed: Callable[[Projection], Awaitable[None]] | None = None


class Projector:
    """Keeps one projection up to date until cancelled; waits while another process owns it."""

    def __init__(
        self, projection: Projection, *, log: Log, dsn: str, fetch: Fetch, observer: Observer | None = None
    ) -> None:
        self._projection = projection
        self._log = log
        self._dsn = dsn
        self._fetch = fetch
        self._observer = observer or Observer()
        self._halted_at: int | None = None

    async def run(self) -> None:
        pause = POLL
        while True:
            try:
                await self._own()
            except Overtaken:
                continue
            except Halted as halted:
                await self._say_halted(halted)
                pause = min(pause * 2, LONGEST)
            except AWAY:
                pause = POLL
            await asyncio.sleep(pause)

    async def _own(self) -> None:
        """Become the owner, if there is none, and follow.

        The lock and the rows share a connection: whoever loses one loses both.
        """
        connection = await checkpoints.connect(self._dsn)
        try:
            if not await connection.fetchval(
                "select pg_try_advisory_lock(hashtextextended($1, 0))", f"project {self._projection.name}"
            ):
                return
            checkpoint = await checkpoints.read(connection, self._projection.name)
            if checkpoint is None or checkpoint.fingerprint != self._projection.fingerprint:
                raise ConnectionError(f"{self._projection.name} is not migrated to this version")
            self._halted_at = checkpoint.halted_position
            if checkpoint.position > (end := await self._log.last_position(checkpoint.stream)):
                lost = LookupError(
                    f"{checkpoint.stream} ends at {end}: it has lost events, or is another log"
                )
                raise Halted(checkpoint.position, lost)
            await self._follow(connection, checkpoint)
        finally:
            connection.terminate()

    async def _follow(self, connection: asyncpg.Connection, checkpoint: Checkpoint) -> None:
        position = checkpoint.position
        async with self._log.reader(self._projection.stream, after=position, window=2 * BATCH) as reader:
            while True:
                try:
                    events = await reader.take(BATCH, wait=5.0)
                except Undecodable as cause:
                    raise Halted(reader.position + 1, cause) from cause
                if reader.position == position:
                    await connection.fetchval(
                        "select 1"
                    )  # notices a database that went away while it is quiet
                    continue
                await self._apply(connection, events, before=position, now=reader.position)
                position = reader.position

    async def _apply(
        self, connection: asyncpg.Connection, events: Sequence[Recorded[Event]], *, before: int, now: int
    ) -> None:
        name = self._projection.name
        try:
            await apply(connection, self._projection, name, events, before=before, now=now, fetch=self._fetch)
        except (Overtaken, *AWAY):
            raise
        except Exception as cause:
            if len(events) == 1:
                raise Halted(events[0].position, cause) from cause
            for each in events:  # as far as it goes, so that what halts is known and nothing before it waits
                await self._apply(connection, [each], before=before, now=each.position)
                before = each.position
        self._observer.applied(self._projection, events, now)
        if self._halted_at is not None and now >= self._halted_at:
            self._halted_at = None
            if self._observer.resumed:
                await self._observer.resumed(self._projection)

    async def _say_halted(self, halted: Halted) -> None:
        if self._halted_at == halted.position:
            return
        self._halted_at = halted.position
        try:
            connection = await asyncpg.connect(self._dsn, timeout=5)
            try:
                await checkpoints.halt(connection, self._projection.name, halted.position, str(halted))
            finally:
                await connection.close()
        except AWAY:
            self._halted_at = None
        if self._observer.halted:
            await self._observer.halted(self._projection, halted)
