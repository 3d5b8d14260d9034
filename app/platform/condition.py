"""The state of the whole: is the log there, is the database, what waits, who is alive."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

import asyncpg
import msgspec
from nats.aio.client import Client

from infra import backlog
from infra.backlog import Queue
from infra.jetstream import ApiError, LogUnavailable
from infra.telemetry.heartbeat import Roster, Seen

Answer = TypeVar("Answer")
Link = Literal["connected", "disconnected"]
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What says that the database cannot be asked."""
FRESH = 1.0
"""Seconds for which figures are shown again instead of being asked for anew."""


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Health(_View, frozen=True, kw_only=True):
    status: Literal["healthy", "degraded"]
    name: str
    version: str
    timestamp: datetime
    log: Link
    database: Link


class ProjectionFigures(_View, frozen=True, kw_only=True):
    """How far a read model is."""

    projection: str
    stream: str
    position: int
    behind: int
    """Positions between it and the end of its stream."""
    lag_seconds: float
    """Age of the oldest event that is not readable yet."""
    halted_position: int | None = None
    """The event that it cannot apply, if there is one; the alert says why."""


class ProcessFigures(_View, frozen=True, kw_only=True):
    """A process that gives signs of life, or gave them in the last minutes."""

    name: str
    role: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    alive: bool
    facts: dict[str, Any]


class Figures(_View, frozen=True, kw_only=True):
    """What `/status` shows; parts that cannot be asked right now are null."""

    timestamp: datetime
    counts: dict[str, dict[str, int]] | None
    """Things by kind and status."""
    queues: list[Queue] | None
    projections: list[ProjectionFigures] | None
    processes: list[ProcessFigures]


Counts = Callable[[asyncpg.Pool], Any]


class Condition:
    """Asks the servers, seldom enough that anybody may look."""

    def __init__(
        self,
        *,
        nc: Client,
        db: asyncpg.Pool,
        streams: Sequence[str],
        counts: Mapping[str, Counts],
        roster: Roster,
        clock: Callable[[], datetime],
        name: str,
        version: str,
    ) -> None:
        self._nc, self._db, self._streams = nc, db, streams
        self._counts, self._roster, self._clock = counts, roster, clock
        self._name, self._version = name, version
        self._figures: tuple[float, Figures] | None = None
        self._asking = asyncio.Lock()

    async def health(self) -> Health:
        """Whether the log and the database answer."""
        log, database = await asyncio.gather(self._log(), self._database())
        return Health(
            status="healthy" if log == database == "connected" else "degraded",
            name=self._name,
            version=self._version,
            timestamp=self._clock(),
            log=log,
            database=database,
        )

    async def _log(self) -> Link:
        try:
            await backlog.heads(self._nc, self._streams[:1])
        except (LogUnavailable, ApiError):
            return "disconnected"
        return "connected"

    async def _database(self) -> Link:
        try:
            await within(2, self._db.fetchval("select 1"))
        except AWAY:
            return "disconnected"
        return "connected"

    async def figures(self) -> Figures:
        """Everything, at most a second old."""
        async with self._asking:
            if self._figures is None or time.monotonic() - self._figures[0] > FRESH:
                self._figures = (time.monotonic(), await self._ask())
            return self._figures[1]

    async def _ask(self) -> Figures:
        try:
            queues, heads = await asyncio.gather(
                backlog.queues(self._nc, self._streams), backlog.heads(self._nc, self._streams)
            )
        except (LogUnavailable, ApiError):
            queues, heads = None, {}
        try:
            counts, projections = await within(5, self._read(heads))
        except (ApiError, *AWAY):
            counts, projections = None, None
        return Figures(
            timestamp=self._clock(),
            counts=counts,
            queues=queues,
            projections=projections,
            processes=[_process(seen) for seen in self._roster.seen(self._clock())],
        )

    async def _read(
        self, heads: Mapping[str, int]
    ) -> tuple[dict[str, dict[str, int]], list[ProjectionFigures]]:
        counts = {kind: await count(self._db) for kind, count in self._counts.items()}
        return counts, await self._projections(heads)

    async def _projections(self, heads: Mapping[str, int]) -> list[ProjectionFigures]:
        rows = await self._db.fetch(
            "select projection, stream, position, halted_position "
            "from headwater.checkpoints order by projection"
        )
        return await asyncio.gather(*(self._projection(row, heads.get(row["stream"])) for row in rows))

    async def _projection(self, row: asyncpg.Record, head: int | None) -> ProjectionFigures:
        behind = max(0, head - row["position"]) if head is not None else 0
        lag = await backlog.age(self._nc, row["stream"], row["position"]) if behind else 0.0
        return ProjectionFigures(**dict(row), behind=behind, lag_seconds=round(lag, 3))


def _process(seen: Seen) -> ProcessFigures:
    beat = seen.heartbeat
    return ProcessFigures(
        name=beat.name,
        role=beat.role,
        host=beat.host,
        pid=beat.pid,
        started_at=beat.started_at,
        seen_at=beat.at,
        alive=seen.alive,
        facts=beat.facts,
    )


async def within(seconds: float, asked: Coroutine[Any, Any, Answer]) -> Answer:
    """An answer that comes in time, or `TimeoutError`.

    Whoever gives up a question to a database that hangs would wait until it has heard of that: it is left to end alone.
    """
    asking = asyncio.create_task(asked)
    try:
        done, _ = await asyncio.wait({asking}, timeout=seconds)
    finally:
        if not asking.done():
            asking.cancel()
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())
    if not done:
        raise TimeoutError("no answer in time")
    return asking.result()
