"""The API process: seconds from its start to `ready`, and what it holds in memory."""

import time

import aiohttp
import psutil

from tests.bench.ground import Ground
from tests.bench.measures import Goal, Measure
from tests.bench.site import Site, ended
from tests.deployment import Part

MEGABYTE = 1e6
REQUESTS = 200


async def measure(ground: Ground) -> list[Measure]:
    site = await ground.site()
    runs = [await _run(site) for _ in range(ground.runs)]
    ready, idle, busy = zip(*runs, strict=True)
    return [
        Measure("API: start to ready", "s", "", Goal(5, at_least=False), ready),
        Measure("API: memory once ready", "MB", "", None, idle),
        Measure(f"API: memory after {REQUESTS} requests", "MB", "", Goal(256, at_least=False), busy),
    ]


async def _run(site: Site) -> tuple[float, float, float]:
    part = site.part("serve")
    began = time.monotonic()
    try:
        await part.start()
        async with site.client() as http:
            await http.get("/v1/health/ready")
            ready = time.monotonic() - began
            idle = _memory(part)
            for n in range(REQUESTS):
                await _ask(http, n)
            return ready, idle, _memory(part)
    finally:
        await ended(part)


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


def _memory(part: Part) -> float:
    return float(psutil.Process(part.pid).memory_info().rss / MEGABYTE)
