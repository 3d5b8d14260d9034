"""From a command to where its effect can be read: a steady 100 a second, the projector in a process of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app import contexts
from app.live.readable import Readable
from events.ids import new_id
from handlers.commands import Commands
from tests.bench.ground import DURABILITY, Ground
from tests.bench.measures import Goal, Measure, percentile
from tests.bench.site import Site, upload

SECONDS = 5.0
RATE = 100


async def measure(ground: Ground) -> list[Measure]:
    async with (
        ground.site() as site,
        _listening(site) as readable,
        site.running("project"),
        site.commands() as commands,
    ):
        await _times(commands, readable, RATE // 10)  # connections are made, statements planned
        runs = [
            await _times(commands, readable, int(RATE * ground.seconds(SECONDS))) for _ in range(ground.runs)
        ]
    return [
        Measure(
            f"command → readable, p{share}",
            "ms",
            DURABILITY["relaxed"],
            goal,
            tuple(1000 * percentile(run, share / 100) for run in runs),
        )
        for share, goal in ((50, None), (99, Goal(50, at_least=False)))
    ]


@asynccontextmanager
async def _listening(site: Site) -> AsyncIterator[Readable]:
    readable = Readable(site.database, contexts.READ_MODELS)
    listening = asyncio.create_task(readable.run())
    try:
        yield readable
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _times(commands: Commands, readable: Readable, count: int) -> list[float]:
    """Seconds of each, from when it was due: whoever is held up by the one before has waited, too."""
    job, first = new_id(), time.monotonic() + 0.05

    async def one(n: int) -> float:
        due = first + n / RATE
        await asyncio.sleep(due - time.monotonic())
        outcome = await commands.execute(*upload(job), fresh=True)
        await readable.reach(outcome.stream, outcome.position)
        return time.monotonic() - due

    return await asyncio.gather(*(one(n) for n in range(count)))
