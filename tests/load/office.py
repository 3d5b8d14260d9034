"""Those who read, look for something and tick things off, until everything is uploaded."""

import random
from collections.abc import Sequence
from uuid import uuid4

from tests.load.world import World

THINKS = 0.1
"""Seconds between two requests, on average."""
READS = (
    "/v1/sessions",
    "/v1/sessions?status=completed&limit=20",
    "/v1/sessions?q=drywall",
    "/v1/jobs",
    "/v1/builders",
    "/v1/action-items",
    "/v1/discrepancies",
    "/v1/attachments",
    "/v1/notifications",
    "/v1/notifications/unread-count",
    "/v1/outbox",
    "/v1/chats",
    "/v1/projects",
    "/v1/documents",
    "/v1/dead-letters",
    "/v1/keys",
    "/health",
)


async def office(world: World, seed: int) -> None:
    """One after the other, in an order of its own."""
    rng = random.Random(seed)
    while not world.over.is_set():
        for read in rng.sample(READS, len(READS)):
            await world.call("GET", read)
            await world.pause(rng.uniform(0, 2 * THINKS))
            await _nearer(world, rng)
            await world.pause(rng.uniform(0, 2 * THINKS))
            if world.over.is_set():
                return


async def _nearer(world: World, rng: random.Random) -> None:
    """Something particular."""
    match rng.randrange(8):
        case 0 if session := _one_of(world.sessions, rng):
            await world.call("GET", "/v1/sessions/{}", session)
        case 1 if session := _one_of(world.sessions, rng):
            await world.call("GET", "/v1/sessions/{}/report", session)
        case 2 if job := _one_of(world.jobs, rng):
            await world.call("GET", "/v1/jobs/{}", job)
        case 3 if job := _one_of(world.jobs, rng):
            await world.call("GET", "/v1/jobs/{}/timeline", job)
        case 4 if answer := _one_of(world.answers, rng):
            await world.call("GET", "/v1/chats/{}", answer)
        case 5 if project := _one_of(world.projects, rng):
            await world.call("GET", "/v1/projects/{}", project)
        case 6 if job := _one_of(world.jobs, rng):
            await _tick_off(world, job)
        case _:
            words = " ".join(rng.sample(("drywall", "boiler", "pipe", "friday", "sheets", "mike"), 3))
            await world.call(
                "POST", "/v1/search", json={"query": f"{words} {rng.randrange(10**6)}", "limit": 5}
            )


async def _tick_off(world: World, job: str) -> None:
    added = await world.call("POST", "/v1/action-items", json={"text": f"Call {uuid4()}", "jobId": job})
    if added:
        await world.call("POST", "/v1/action-items/{}/done", added["id"])


async def watch(world: World) -> None:
    """Look at the figures, as a dashboard and Prometheus do, if more often."""
    while not world.over.is_set():
        await world.call("GET", "/status")
        await world.call("GET", "/metrics")
        await world.pause(3)


async def idle(world: World) -> None:
    """Ask again and again for what costs nothing: what that takes is the machine's and the client's own time."""
    while not world.over.is_set():
        await world.call("GET", "/v1/health/live")
        await world.pause(0.05)


def _one_of(ids: Sequence[str], rng: random.Random) -> str | None:
    return rng.choice(ids) if ids else None
