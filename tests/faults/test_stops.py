"""SIGTERM: every part ends within ten seconds, takes its leave of its clients, and hands back what it holds."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.deployment import Deployment, Part
from tests.faults.uploads import kept, uploading
from tests.jobsite.uploads import accepted, over, sound

WITHIN = 10.0


@pytest.fixture(autouse=True)
async def mended(victim: Deployment) -> AsyncIterator[None]:
    """Whatever was stopped runs again afterwards."""
    yield
    for part in victim.parts:
        if not part.running:
            await part.start()


async def test_the_api_finishes_uploads_and_tells_its_clients_to_come_back(victim: Deployment) -> None:
    half, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + sound(1.0)
        half.set()
        await rest.wait()
        yield b"\r\n--b--\r\n"

    async with victim.client() as http:
        ws = await http.ws_connect("/v1/ws?topics=alerts")
        assert (await ws.receive_json())["type"] == "subscribed"
        stream = await http.get("/v1/events?topics=alerts")
        assert (await stream.content.readline()).strip()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        uploading = asyncio.create_task(
            http.post("/v1/upload/audio", data=slowly(), headers=headers).__aenter__()
        )
        await half.wait()
        stopping = asyncio.create_task(victim.serve.stop())
        farewell = await ws.receive(timeout=5)
        assert (farewell.type, farewell.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await asyncio.wait_for(stream.content.read(), 60)
        rest.set()
        answer = await uploading
        assert answer.status == 202
        taken = await answer.json()
        status, seconds = await stopping
        assert (status, seconds < WITHIN) == (0, True)
        await victim.serve.start()
        assert (await over(http, taken))["status"] == "completed"


async def test_what_never_ends_is_broken_off_and_handed_back(victim: Deployment) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + sound(1.0)
        await asyncio.sleep(60)

    patient = Part("work", {**victim.environment, "HANDLER_ACK_WAIT": "300"}, victim.home)
    await victim.work.stop()
    await patient.start()
    victim.whisper.fault = "slow"
    victim.whisper.asked.clear()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    try:
        async with victim.client() as http:
            taken = await accepted(http, sound())
            await asyncio.wait_for(victim.whisper.asked.wait(), 60)
            request = http.post("/v1/upload/audio", data=endless(), headers=headers)
            sending = asyncio.create_task(request.__aenter__())
            await asyncio.sleep(0.2)
            for status, seconds in await asyncio.gather(patient.stop(), victim.serve.stop()):
                assert (status, seconds < WITHIN) == (0, True)
            sending.cancel()
            victim.whisper.fault = None
            await asyncio.gather(patient.start(), victim.serve.start())
            began = time.monotonic()
            assert (await over(http, taken))["status"] == "completed"
            assert time.monotonic() - began < 20  # handed back: JetStream need not miss it first
    finally:
        victim.whisper.fault = None
        await patient.stop()


async def test_parts_that_are_stopped_and_started_while_many_upload_lose_nothing(victim: Deployment) -> None:
    async with uploading(victim) as uploads:
        for n, part in enumerate(victim.parts):
            await uploads.until(2 + 3 * n)
            status, seconds = await part.stop()
            assert (status, seconds < WITHIN) == (0, True), part.said()
            await part.start()
    await kept(victim, uploads)
