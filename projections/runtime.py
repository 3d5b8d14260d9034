"""The projector: one owner at a time follows the stream, batch by batch, and never skips."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import asyncpg

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.log import Log
from infra.telemetry.logs import logger
from projections import checkpoints
from projections.batch import AWAY, Fetch, Halted, Model, batches
from projections.checkpoints import NotMigrated, Overtaken
from projections.projection import Projection

log = logger(__name__)

BATCH = 2000
POLL = 0.5
"""Seconds between two tries to become the owner, or to go on after a failure."""
LONGEST = 30.0
QUIET = 5.0
"""Seconds without an event after which the database is asked whether it is still there."""


@dataclass(frozen=True)
class Observer:
    """Who is told: `applied` after each commit (events, position, seconds), `halted` once a position.

    `resumed` says that nothing is halted: after a halt, and once in each process that runs the projection, because a
    rebuild or another process may have mended what was told before.
    """

    applied: Callable[[Projection, Sequence[Recorded[Event]], int, float], None] = lambda *_: None
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
        self._told_sound = False
        self._waits_for = ""

    async def run(self) -> None:
        pause = POLL
        while True:
            try:
                await self._own()
            except Overtaken:
                continue
            except Halted:
                pause = min(pause * 2, LONGEST)
            except AWAY as away:
                self._say_waiting(away)
                pause = POLL
            await asyncio.sleep(pause)

    async def _own(self) -> None:
        """Become the owner, once there is no other, and follow.

        The lock and the rows share a connection: whoever loses one loses both.
        """
        connection = await checkpoints.connect(self._dsn, talks=True)
        try:
            # Not a statement that waits for the lock: its snapshot would keep old rows from being cleaned away.
            while not await connection.fetchval(  # noqa: ASYNC110 - another process has it
                "select pg_try_advisory_lock(hashtextextended($1, 0))", f"project {self._projection.name}"
            ):
                await asyncio.sleep(POLL)
            try:
                await self._follow(connection)
            except Halted as halted:
                await self._say_halted(connection, halted)
                raise
        finally:
            connection.terminate()

    async def _follow(self, connection: asyncpg.Connection) -> None:
        model = await self._model(connection)
        async with (
            self._log.reader(self._projection.stream, after=model.position, window=2 * BATCH) as reader,
            aclosing(batches(reader, BATCH, wait=QUIET)) as coming,
        ):
            async for events, position in coming:
                if position > model.position:
                    await model.apply(events, position)
                else:
                    await self._still_there(connection, model.position)
                    await self._look_for_what_halted(connection)
                await self._say_sound(model.position)

    async def _still_there(self, connection: asyncpg.Connection, position: int) -> None:
        """Nothing came for a while: the model may have been made anew meanwhile. Raises `Overtaken`."""
        found = await checkpoints.read(connection, self._projection.name)
        if found is None or found.position != position:
            raise Overtaken(f"{self._projection.name} is no longer at {position}")

    async def _look_for_what_halted(self, connection: asyncpg.Connection) -> None:
        """Nothing is there to be applied: what halted it may have been deleted, and nothing have come since."""
        if self._halted_at is None:
            return
        try:
            found = await self._log.at(self._projection.stream, self._halted_at)
        except Undecodable:
            return
        if found is None:
            self._halted_at = None
            await checkpoints.halt(connection, self._projection.name, None, None)

    async def _model(self, connection: asyncpg.Connection) -> Model:
        """The serving model, if it has the shape of this projection and the log is the one it was made from."""
        name, stream = self._projection.name, self._projection.stream
        checkpoint = await checkpoints.read(connection, name)
        if checkpoint is None or checkpoint.fingerprint != self._projection.fingerprint:
            raise NotMigrated(f"{name} is not there in this version: run headwater migrate")
        self._halted_at = checkpoint.halted_position
        if checkpoint.position > (end := await self._log.last_position(stream)):
            lost = LookupError(f"{stream} ends at {end}: it has lost events, or is another log")
            raise Halted(checkpoint.position, lost)
        await self._say_sound(checkpoint.position)

        def applied(events: Sequence[Recorded[Event]], now: int, seconds: float) -> None:
            self._observer.applied(self._projection, events, now, seconds)

        return Model(
            connection,
            self._projection,
            name,
            position=checkpoint.position,
            fetch=self._fetch,
            applied=applied,
        )

    async def _say_sound(self, position: int) -> None:
        if self._halted_at is not None and position < self._halted_at:
            return
        self._halted_at, self._waits_for = None, ""
        if not self._told_sound and self._observer.resumed:
            await self._observer.resumed(self._projection)
        self._told_sound = True

    async def _say_halted(self, connection: asyncpg.Connection, halted: Halted) -> None:
        """Tell first, then record that it was told: whoever is killed in between tells again."""
        if self._halted_at != halted.position and self._observer.halted:
            await self._observer.halted(self._projection, halted)
        self._halted_at, self._told_sound = halted.position, False
        await checkpoints.halt(connection, self._projection.name, halted.position, str(halted))

    def _say_waiting(self, away: BaseException) -> None:
        cause = f"{type(away).__name__}: {away}"
        if cause != self._waits_for:
            log.warning("projection waits", projection=self._projection.name, cause=cause)
        self._waits_for = cause
