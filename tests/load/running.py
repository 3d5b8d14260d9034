"""The load itself: everybody at work until everything is uploaded."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import NamedTuple

import psutil

from tests.deployment import Deployment
from tests.load.chats import asker, talker
from tests.load.crew import crew
from tests.load.office import idle, office, watch
from tests.load.promises import broken
from tests.load.report import OWN
from tests.load.timing import Caller, Timings
from tests.load.world import World


class Size(NamedTuple):
    """How many of each."""

    crews: int = 20
    uploads: int = 3
    """Of each crew, one after the other."""
    offices: int = 4
    askers: int = 4
    talkers: int = 4
    within: float = 1.0
    """Seconds in which the crews begin; 0: all in the same instant."""


QUICK = Size(crews=2, uploads=1, offices=1, askers=1, talkers=1)


class Found(NamedTuple):
    """What came of it."""

    timings: Timings
    accepted: int
    seconds: float
    broken: list[str]
    processor: dict[str, float]
    """Seconds of processor time, by process, with its children as far as they have ended."""


async def load(
    deployment: Deployment, size: Size, recording: Callable[[], bytes], *, warm: bool = True
) -> Found:
    """Run it, wait for the end of every upload, and look whether every promise was kept."""
    async with deployment.log() as log:
        since = await log.last_position("OPERATIONS")
    async with deployment.client() as http:
        world = World(Caller(http, Timings()), recording)
        if warm:
            await _everybody(world, QUICK)
            world.over.clear()
        world.call.timings.counting = True
        began, before = time.monotonic(), _processor(deployment)
        await _everybody(world, size)
        seconds, after = time.monotonic() - began, _processor(deployment)
    return Found(
        world.call.timings,
        len(world.accepted),
        seconds,
        await broken(deployment, world, since=since),
        {name: spent - before.get(name, 0.0) for name, spent in after.items()},
    )


def _processor(deployment: Deployment) -> dict[str, float]:
    parts = {part.pid: part.name for part in deployment.parts}
    spent: dict[str, float] = defaultdict(float)
    for each in [(me := psutil.Process()), *me.children(recursive=True)]:
        name = "this client" if each == me else parts.get(each.pid, each.name())
        with suppress(psutil.NoSuchProcess):
            spent[name] += sum(each.cpu_times()[: 4 if each.pid in parts or name == "postgres" else 2])
    return spent


async def _everybody(world: World, size: Size) -> None:
    async with asyncio.TaskGroup() as group:
        beside: list[Coroutine[None, None, None]] = [
            idle(world),
            watch(world),
            _late(world),
            *(office(world, n) for n in range(size.offices)),
            *(asker(world) for _ in range(size.askers)),
            *(talker(world) for _ in range(size.talkers)),
        ]
        for each in beside:
            group.create_task(each)
        starts = [size.within * n / size.crews for n in range(size.crews)]
        await asyncio.gather(*(crew(world, size.uploads, start) for start in starts))
        world.over.set()


async def _late(world: World) -> None:
    """How much later than it should this process goes on: so much of every time is its own."""
    while not world.over.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.02)
        world.call.timings.took(OWN, time.perf_counter() - began - 0.02)
