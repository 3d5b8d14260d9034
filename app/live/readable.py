"""How far each read model is readable: what reads and live messages wait for."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg

from app.http.positions import Position
from handlers.refusals import Unavailable
from infra.telemetry.logs import logger
from projections.checkpoints import CHANNEL

log = logger(__name__)

PATIENCE = 2.0
"""Seconds a read waits for what it must have seen."""
LONGEST = 5.0
"""Seconds between two tries to listen again, at most."""
CHECK = 15.0
"""Seconds after which a connection that has been quiet is tried."""


class Readable:
    """Listens to the projectors: each says in the transaction that makes a position readable that it is."""

    def __init__(self, dsn: str, projections: Mapping[str, str]) -> None:
        """`projections` maps each projection to its stream."""
        self._dsn = dsn
        self._streams = dict(projections)
        self._positions = dict.fromkeys(projections, 0)
        self._moved = asyncio.Condition()

    def position(self, stream: str) -> int | None:
        """Up to where every read model of a stream is readable; None for a stream that has none."""
        known = [self._positions[name] for name, read in self._streams.items() if read == stream]
        return min(known) if known else None

    async def reach(self, stream: str, position: int) -> int:
        """Wait until this position of a stream is readable; how far it is then."""
        async with self._moved:
            await self._moved.wait_for(lambda: (self.position(stream) or 0) >= position)
            return self.position(stream) or 0

    async def catch_up(self, wanted: Position) -> None:
        """Wait until reads see a position, for `PATIENCE` at most. Raises `Unavailable`."""
        if self.position(wanted.stream) is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self.reach(wanted.stream, wanted.sequence)
        except TimeoutError:
            raise Unavailable(
                "NOT_YET_READABLE", f"The read model has not come to {wanted} yet; ask again in a moment."
            ) from None

    async def run(self) -> None:
        """Listen for ever; while the database is away, positions stay as they were."""
        pause = 0.1
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
                log.warning("not listening to the database", cause=away)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "headwater readable"}
        )
        try:
            told: asyncio.Queue[str] = asyncio.Queue()
            await connection.add_listener(CHANNEL, lambda *heard: told.put_nowait(heard[3]))
            rows = await connection.fetch("select projection, position from headwater.checkpoints")
            await self._move([(row["projection"], row["position"]) for row in rows])
            while True:
                await self._hear(connection, told)
        finally:
            connection.terminate()

    async def _hear(self, connection: asyncpg.Connection, told: asyncio.Queue[str]) -> None:
        try:
            async with asyncio.timeout(CHECK):
                heard = [await told.get()]
        except TimeoutError:
            await connection.execute("select 1", timeout=5)
            return
        while not told.empty():
            heard.append(told.get_nowait())
        await self._move([(name, int(position)) for name, position in (each.split(" ") for each in heard)])

    async def _move(self, positions: Sequence[tuple[str, int]]) -> None:
        async with self._moved:
            for name, position in positions:
                if name in self._positions:
                    self._positions[name] = position
            self._moved.notify_all()
