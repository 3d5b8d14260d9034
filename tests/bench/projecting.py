"""Events a second into the read model: a projector that catches up, and a rebuild beside the model that serves."""

import asyncio
import time

import asyncpg

from infra.log import Log
from projections import schema
from projections.batch import Halted
from projections.rebuild import rebuild
from projections.runtime import Observer, Projector
from tests.bench import peer
from tests.bench.ground import Ground
from tests.bench.measures import Goal, Measure, ratio
from tests.bench.tasks import PROJECTION

EVENTS = 200_000
"""Of the million, in each catch-up and each rebuild."""
THEIR_EVENTS = 60_000
"""Of the same, of which as many are projected as fit into their runs."""
THEIR_SECONDS = 4.0
REPLAYED = "read again from the log"
"""What a power cut takes from our rows, which are committed with their position and not synced."""


async def measure(ground: Ground) -> list[Measure]:
    caught, rebuilds, synced, unsynced = list[float](), list[float](), list[float](), list[float]()
    async with ground.million() as log, ground.database() as theirs:
        if peer.installed():
            await _fill(theirs, ground.size(THEIR_EVENTS))
        for _ in range(ground.runs):
            async with ground.database() as dsn:
                caught.append(await _catch_up(log, dsn, ground.size(EVENTS)))
                rebuilds.append(await _rebuild(log, dsn))
            if peer.installed():
                synced.append(await _their_rate(theirs, True, ground))
                unsynced.append(await _their_rate(theirs, False, ground))
    ours = Measure("projection: catch-up", "events/s", REPLAYED, None, tuple(caught))
    rebuilt = Measure(
        "projection: rebuild, compare, swap", "events/s", REPLAYED, Goal(40_000), tuple(rebuilds)
    )
    return [ours, rebuilt, *(_compared(ours, tuple(synced), tuple(unsynced)) if peer.installed() else ())]


async def _catch_up(log: Log, dsn: str, until: int) -> float:
    """From the start of a projector with an empty model to where this position is readable."""
    await _migrate(dsn)
    arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def applied(_: object, __: object, position: int, ___: float) -> None:
        if position >= until and not arrived.done():
            arrived.set_result(position)

    async def halted(_: object, why: Halted) -> None:
        if not arrived.done():
            arrived.set_exception(why)

    observer = Observer(applied=applied, halted=halted)
    projector = Projector(PROJECTION, log=log, dsn=dsn, fetch=no_blob, observer=observer)
    began = time.monotonic()
    following = asyncio.create_task(projector.run())
    try:
        reached = await arrived
        return reached / (time.monotonic() - began)
    finally:
        following.cancel()
        await asyncio.wait([following])


async def _rebuild(log: Log, dsn: str) -> float:
    """A whole rebuild of the model that a catch-up has left."""
    began = time.monotonic()
    report = await rebuild(PROJECTION, log=log, dsn=dsn, fetch=no_blob)
    seconds = time.monotonic() - began
    if report.differing:
        raise RuntimeError("the rebuilt model is another")
    return report.events / seconds


async def no_blob(_: str) -> None:
    """There are none here."""


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await schema.migrate(connection, [PROJECTION])
    finally:
        await connection.close()


async def _fill(dsn: str, events: int) -> None:
    from tests.bench.peer import projection

    await asyncio.to_thread(projection.fill, dsn, events)


async def _their_rate(dsn: str, waits: bool, ground: Ground) -> float:
    from tests.bench.peer import projection, settings

    await settings.commit(dsn, waits=waits)
    return await projection.rate(dsn, ground.seconds(THEIR_SECONDS))


def _compared(ours: Measure, synced: tuple[float, ...], unsynced: tuple[float, ...]) -> tuple[Measure, ...]:
    from tests.bench.peer.settings import DURABILITY

    name = "eventsourcing: projection"
    default = Measure(name, "events/s", DURABILITY[True], None, synced)
    relaxed = Measure(name, "events/s", DURABILITY[False], None, unsynced)
    ratios = "Headwater / eventsourcing: projection"
    return default, relaxed, ratio(ratios, ours, default, Goal(30)), ratio(ratios, ours, relaxed)
