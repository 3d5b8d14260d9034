"""The API process: seconds from its start to `ready`, and what it holds in memory."""

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import psutil

from tests.bench.ground import Ground
from tests.bench.measures import Goal, Measure
from tests.bench.site import Site
from tests.deployment import ROOT

MEGABYTE = 1e6
REQUESTS = 200
WITHIN = 60
"""Seconds after which a process that is not ready is one that will not be."""


async def measure(ground: Ground) -> list[Measure]:
    async with ground.site() as site:
        runs = [await _run(site) for _ in range(ground.runs)]
    ready, idle, busy = zip(*runs, strict=True)
    return [
        Measure("API: start to ready", "s", "", Goal(5, at_least=False), ready),
        Measure("API: memory once ready", "MB", "", None, idle),
        Measure(f"API: memory after {REQUESTS} requests", "MB", "", Goal(256, at_least=False), busy),
    ]


async def _run(site: Site) -> tuple[float, float, float]:
    began = time.monotonic()
    async with _serving(site) as process, site.client() as http:
        await _ready(http)
        ready = time.monotonic() - began
        idle = _memory(process)
        for n in range(REQUESTS):
            await _ask(http, n)
        return ready, idle, _memory(process)


@asynccontextmanager
async def _serving(site: Site) -> AsyncIterator[int]:
    """The API as an operator starts it, its imports included; its process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "serve",
        cwd=ROOT, env=site.environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _ready(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                async with http.get("/v1/health/ready"):
                    return
            except aiohttp.ClientError:  # nobody listens yet, or not everything is there
                await asyncio.sleep(0.01)


async def _ask(http: aiohttp.ClientSession, n: int) -> None:
    """Searches, lists, figures and documents, in turn."""
    match n % 4:
        case 0:
            query = {"query": f"how many sheets of drywall for the hall, {n}", "limit": 5}
            answer = await http.post("/v1/search", json=query)
        case 1:
            answer = await http.get("/v1/sessions?limit=50")
        case 2:
            answer = await http.get("/status")
        case _:
            answer = await http.get("/openapi.json")
    await answer.read()


def _memory(process: int) -> float:
    return float(psutil.Process(process).memory_info().rss / MEGABYTE)
