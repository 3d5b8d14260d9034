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
        await asyncio.wait_for(stream.content.read(), 5)
        rest.set()
        answer = await uploading
        assert answer.status == 202
        taken = await answer.json()
        status, seconds = await stopping
        assert (status, seconds < WITHIN) == (0, True)
        await victim.serve.start()
        assert (await over(http, taken))["status"] == "completed"


async def test_an_api_with_a_client_that_never_ends_stops_all_the_same(victim: Deployment) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + sound(1.0)
        await asyncio.sleep(60)

    async with victim.client() as http:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        sending = asyncio.create_task(
            http.post("/v1/upload/audio", data=endless(), headers=headers).__aenter__()
        )
        await asyncio.sleep(0.2)
        status, seconds = await victim.serve.stop()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert (status, seconds < WITHIN) == (0, True)


async def test_a_worker_hands_back_what_it_cannot_finish(victim: Deployment) -> None:
    patient = Part("work", {**victim.environment, "HANDLER_ACK_WAIT": "300"}, victim.home)
    await victim.work.stop()
    await patient.start()
    victim.whisper.fault = "slow"
    victim.whisper.asked.clear()
    try:
        async with victim.client() as http:
            taken = await accepted(http, sound())
            await asyncio.wait_for(victim.whisper.asked.wait(), 20)
            status, seconds = await patient.stop()
            assert (status, seconds < WITHIN) == (0, True)
            victim.whisper.fault = None
            await patient.start()
            began = time.monotonic()
            assert (await over(http, taken))["status"] == "completed"
            assert time.monotonic() - began < 20
    finally:
        victim.whisper.fault = None
        await patient.stop()


@pytest.mark.parametrize("part", ["work", "project", "serve"])
async def test_a_part_that_is_stopped_and_started_while_many_upload_loses_nothing(
    victim: Deployment, part: str
) -> None:
    async with uploading(victim, 12) as uploads:
        await uploads.until(3)
        status, seconds = await getattr(victim, part).stop()
        assert (status, seconds < WITHIN) == (0, True)
        await getattr(victim, part).start()
    await kept(victim, uploads)
