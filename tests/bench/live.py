"""Live delivery: from a command accepted to its message received, by 1,000 sockets that follow the same job."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from events.ids import new_id
from handlers.commands import Commands
from tests.bench.ground import DURABILITY, Ground
from tests.bench.measures import Measure, percentile
from tests.bench.site import Site, upload
from tests.deployment import KEY, ROOT

SOCKETS = 1_000
COMMANDS = 20
PAUSE = 0.25
"""Seconds between two commands: 4,000 messages a second are received."""


async def measure(ground: Ground) -> list[Measure]:
    sockets = ground.size(SOCKETS)
    async with ground.site() as site, site.running("serve", "project"), site.commands() as commands:
        runs = [await _times(site, commands, sockets, ground.size(COMMANDS) or 2) for _ in range(ground.runs)]
    return [
        Measure(
            f"command accepted → message received by {sockets:,} sockets, p{share}",
            "ms",
            DURABILITY["relaxed"],
            None,
            tuple(1000 * percentile(run, share / 100) for run in runs),
        )
        for share in (50, 99)
    ]


async def _times(site: Site, commands: Commands, sockets: int, count: int) -> list[float]:
    job, accepted = new_id(), list[float]()
    async with _followers(site, job, sockets, count) as followers:
        for _ in range(count):
            await commands.execute(*upload(job), fresh=True)
            accepted.append(time.monotonic())
            await asyncio.sleep(PAUSE)
        async with asyncio.timeout(30):
            said, _ = await followers.communicate()
    if followers.returncode:
        raise RuntimeError(f"the sockets' process ended with status {followers.returncode}")
    received = msgspec.json.decode(said, type=list[list[float]])
    return [at - accepted[n] for n, times in enumerate(received) for at in times]


@asynccontextmanager
async def _followers(
    site: Site, job: UUID, sockets: int, count: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The sockets, in a process of their own, all of them subscribed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.followers", f"{site.url}/v1/ws?topics=jobs:{job}", str(sockets), str(count),
        cwd=ROOT, env={**site.environment, "FOLLOWERS_KEY": KEY}, stdout=asyncio.subprocess.PIPE, limit=64 << 20,
    )  # fmt: skip
    try:
        assert process.stdout
        async with asyncio.timeout(60):
            await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
