"""How far each read model is readable: what reads and live messages wait for."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from heapq import heapify, heappop, heappush

import asyncpg

from app.http.positions import Position
from handlers.refusals import Unavailable
from infra.telemetry.logs import logger
from projections.checkpoints import CHANNEL

log = logger(__name__)

PATIENCE = 2.0
"""Seconds a read waits for what it must have seen."""
SHORTEST = 0.1
LONGEST = 5.0
"""Seconds between two tries to listen again."""
CHECK = 15.0
"""Seconds after which a connection that has been quiet is tried."""
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
UNKNOWN = -1


class Readable:
    """Listens to the projectors: each says in the transaction that makes a position readable that it is."""

    def __init__(self, dsn: str, projections: Mapping[str, str]) -> None:
        """`projections` maps each projection to its stream."""
        self._dsn = dsn
        self._streams = dict(projections)
        self._positions = dict.fromkeys(projections, UNKNOWN)
        self._waiting: dict[str, list[tuple[int, int, asyncio.Future[None]]]] = {
            stream: [] for stream in projections.values()
        }
        self._given_up = dict.fromkeys(self._waiting, 0)
        self._order = itertools.count()

    def position(self, stream: str) -> int | None:
        """Up to where every read model of a stream is readable; None for a stream that has none.

        0 as long as the database has not been heard.
        """
        return max(self._at(stream), 0) if stream in self._waiting else None

    async def reach(self, stream: str, position: int) -> int:
        """Wait until this position of a stream is readable; how far it is then.

        Position 0 waits until the database has been heard at all. In a stream without read models nothing is waited
        for.
        """
        if stream not in self._waiting:
            return position
        while (now := self._at(stream)) < position:
            await self._moved(stream, position)
        return now

    async def catch_up(self, wanted: Position) -> None:
        """Wait until reads see a position, for `PATIENCE` at most. Raises `Unavailable`."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.reach(wanted.stream, wanted.sequence)
        except TimeoutError:
            raise Unavailable(
                "NOT_YET_READABLE", f"The read model has not come to {wanted} yet; ask again in a moment."
            ) from None

    async def run(self) -> None:
        """Listen for ever; while the database is away, positions stay as they were."""
        pause = SHORTEST
        while True:
            try:
                async with aclosing(self._heard()) as heard:
                    async for positions in heard:
                        pause = SHORTEST
                        self._move(positions)
            except AWAY as away:
                log.warning("not listening to the database", cause=away)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def _heard(self) -> AsyncGenerator[list[tuple[str, int]]]:
        """Where projections stand: first all of them, then what each says. Raises one of `AWAY`."""
        connection = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "headwater readable"}
        )
        try:
            told: asyncio.Queue[str | None] = asyncio.Queue()
            connection.add_termination_listener(lambda _: told.put_nowait(None))
            await connection.add_listener(CHANNEL, lambda *said: told.put_nowait(said[3]))
            rows = await connection.fetch("select projection, position from headwater.checkpoints")
            yield [(row["projection"], row["position"]) for row in rows]
            while True:
                try:
                    async with asyncio.timeout(CHECK):
                        said = [await told.get()]
                except TimeoutError:
                    await connection.execute("select 1", timeout=5)
                    continue
                while not told.empty():
                    said.append(told.get_nowait())
                yield [_read(each) for each in said]
        finally:
            connection.terminate()

    async def _moved(self, stream: str, position: int) -> None:
        moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting, entry = self._waiting[stream], (position, next(self._order), moved)
        heappush(waiting, entry)
        try:
            await moved
        finally:
            if moved.cancelled():
                self._forget(stream)

    def _forget(self, stream: str) -> None:
        """Drop who has given up, all at once when they are as many as those who wait: each costs the same then."""
        self._given_up[stream] += 1
        waiting = self._waiting[stream]
        if 2 * self._given_up[stream] >= len(waiting):
            waiting[:] = [entry for entry in waiting if not entry[2].done()]
            heapify(waiting)
            self._given_up[stream] = 0

    def _at(self, stream: str) -> int:
        return min(self._positions[name] for name, read in self._streams.items() if read == stream)

    def _move(self, positions: Iterable[tuple[str, int]]) -> None:
        for name, position in positions:
            if name in self._positions:
                self._positions[name] = position
        for stream, waiting in self._waiting.items():
            now = self._at(stream)
            while waiting and waiting[0][0] <= now:
                moved = heappop(waiting)[2]
                if not moved.done():
                    moved.set_result(None)


def _read(said: str | None) -> tuple[str, int]:
    """`jobsite 1234`; None when the connection has ended."""
    if said is None:
        raise ConnectionError("the database has closed the connection")
    name, _, position = said.partition(" ")
    return name, int(position)
