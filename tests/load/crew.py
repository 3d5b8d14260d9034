"""Those who upload: a job each; a recording and a plan, then the next when every stage of that has ended."""

import asyncio
from uuid import uuid4

from tests.jobsite.uploads import OVER, form
from tests.load.world import PLAN, World

LOOK = 1.0
"""Seconds between two looks at how far a recording is."""
WITHIN = 300.0
"""Seconds in which a recording must be through all its stages."""


async def crew(world: World, uploads: int, after: float) -> None:
    """Upload so many recordings, one after the other, from some seconds on."""
    await asyncio.sleep(after)
    job = await world.call("POST", "/v1/jobs", json={"name": f"Load {uuid4()}"})
    if job is None:
        return
    world.jobs.append(job["id"])
    for n in range(uploads):
        await _upload(world, job["id"], f"Note {n}")


async def _upload(world: World, job: str, title: str) -> None:
    data = form(world.recording(), name="note.mp3", jobId=job, title=title)
    taken = await world.call("POST", "/v1/upload/audio", data=data, headers={"Idempotency-Key": str(uuid4())})
    if taken is None:
        return
    world.accepted.append(taken)
    session = taken["sessionId"]
    plan = form(f"{PLAN}\nFor {session}.".encode(), name="plan.txt", sessionId=session)
    await world.call("POST", "/v1/upload/attachment", data=plan, headers={"Idempotency-Key": str(uuid4())})
    after = {"Headwater-After": taken["position"]}
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                status = await world.call("GET", "/v1/upload/status/{}", session, headers=after)
                if status and status["status"] in OVER:
                    break
                await asyncio.sleep(LOOK)
    except TimeoutError:  # what became of it is looked at in the end
        return
    world.sessions.append(session)
