"""The pipeline's real-time factor: seconds of work for each second of the bundled long recording."""

import asyncio
import time
from datetime import datetime
from typing import Any

import aiohttp

from infra.samples import SITE_NOTE, WALKTHROUGH
from tests.bench.ground import DURABILITY, Ground
from tests.bench.measures import Measure


async def measure(ground: Ground) -> list[Measure]:
    recording = SITE_NOTE if ground.quick else WALKTHROUGH
    async with ground.site() as site, site.running("serve", "work", "project"), site.client() as http:
        began = time.monotonic()
        session = await _finished(http, await _upload(http, recording.read_bytes()))
        whole = time.monotonic() - began
    seconds = session["seconds"]
    stages = {stage["stage"]: _seconds(stage) for stage in session["stages"]}
    name = f"pipeline, {seconds:.0f} s recording:"
    return [
        Measure(f"{name} upload to searchable", "s/s", DURABILITY["relaxed"], None, (whole / seconds,)),
        *(Measure(f"{name} {stage}", "s/s", "", None, (took / seconds,)) for stage, took in stages.items()),
    ]


async def _upload(http: aiohttp.ClientSession, audio: bytes) -> str:
    form = aiohttp.FormData()
    form.add_field("file", audio, filename="recording.ogg")
    async with http.post("/v1/upload/audio", data=form) as answer:
        return str((await answer.json())["sessionId"])


async def _finished(http: aiohttp.ClientSession, session: str) -> dict[str, Any]:
    while True:
        async with http.get(f"/v1/sessions/{session}") as answer:
            found: dict[str, Any] = await answer.json()
        if found["status"] == "failed":
            raise RuntimeError(f"the recording failed: {found['stages']}")
        if found["status"] == "completed":
            return found
        await asyncio.sleep(0.1)


def _seconds(stage: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(stage[name]) for name in ("startedAt", "finishedAt"))
    return (ended - began).total_seconds()
