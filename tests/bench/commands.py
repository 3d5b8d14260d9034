"""Commands a second: tasks are opened and noted upon by one and by 64 callers at a time."""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial

from events.ids import new_id
from handlers.commands import Commands
from infra.embedded.nats import Sync
from infra.log import Log
from tests.bench import peer
from tests.bench.ground import DURABILITY, Ground, connected
from tests.bench.measures import Goal, Measure, Sampler, alternating, ratio
from tests.bench.tasks import CATALOGUE, TASKS, first_and_following, intent

SECONDS = 1.5
CALLERS = (1, 64)
SYNCS: tuple[Sync, ...] = ("relaxed", "always")


async def measure(ground: Ground) -> list[Measure]:
    async with AsyncExitStack() as stack:
        samplers = [each for sync in SYNCS for each in await _ours(ground, sync, stack)]
        if peer.installed():
            samplers += await _theirs(ground, stack)
        measured = await alternating(samplers, ground.runs)
    return measured + _ratios(measured)


async def _ours(ground: Ground, sync: Sync, stack: AsyncExitStack) -> list[Sampler]:
    server = await stack.enter_async_context(ground.log_server(sync))
    nc = await stack.enter_async_context(connected(server))
    commands = Commands(Log(nc, CATALOGUE), [TASKS])
    return [
        Sampler(
            Measure(f"commands/s, {callers} at a time", "1/s", DURABILITY[sync]),
            partial(_rate, commands, callers, ground.seconds(SECONDS)),
        )
        for callers in CALLERS
    ]


async def _theirs(ground: Ground, stack: AsyncExitStack) -> list[Sampler]:
    from tests.bench.peer import commands
    from tests.bench.peer.settings import DURABILITY, commit

    dsn = await stack.enter_async_context(ground.database())

    async def rate(waits: bool, callers: int) -> float:
        await commit(dsn, waits=waits)
        return await commands.rate(dsn, callers, ground.seconds(SECONDS))

    return [
        Sampler(
            Measure(f"eventsourcing: commands/s, {callers} at a time", "1/s", DURABILITY[waits]),
            partial(rate, waits, callers),
        )
        for waits in (True, False)
        for callers in CALLERS
    ]


def _ratios(measured: list[Measure]) -> list[Measure]:
    """As the goal has it: relaxed against its defaults; then each with what is as durable."""
    if len(measured) < 8:
        return []
    relaxed, always, synced, unsynced = (measured[n : n + 2] for n in range(0, 8, 2))
    pairs = ((relaxed, synced, Goal(3)), (always, synced, None), (relaxed, unsynced, None))
    return [
        ratio(f"Headwater / eventsourcing: commands, {callers} at a time", one, other, goal)
        for ours, theirs, goal in pairs
        for callers, one, other in zip(CALLERS, ours, theirs, strict=True)
    ]


async def _rate(commands: Commands, callers: int, seconds: float) -> float:
    began = time.monotonic()
    done = await asyncio.gather(*(_call(commands, began + seconds) for _ in range(callers)))
    return sum(done) / (time.monotonic() - began)


async def _call(commands: Commands, until: float) -> int:
    done = 0
    while True:
        for n, command in enumerate(first_and_following(new_id())):
            await commands.execute(command, intent(), fresh=n == 0)
            done += 1
            if time.monotonic() >= until:
                return done
