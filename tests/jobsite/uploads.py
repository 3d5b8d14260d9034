"""Uploading as any client would, and what the servers hold afterwards."""

import asyncio
import itertools
import wave
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
from nats.aio.client import Client

from app import contexts
from infra import backlog, jetstream
from tests.deployment import Deployment

OVER = {"completed", "failed"}

LIFE = ("audio_uploaded", "transcribed", "understood", "summarised", "reported", "notified")
"""What happens to a recording, one after the other; beside the last, it is indexed."""

_numbers = itertools.count(1)


def lived(names: Sequence[str]) -> bool:
    """Whether these are the events of a recording that went through all its stages, each once."""
    others = [name for name in names if name != "indexed"]
    return names.count("indexed") == 1 and names.index("indexed") > 2 and tuple(others) == LIFE


def sound(seconds: float = 0.5) -> bytes:
    """A recording unlike every other."""
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(next(_numbers).to_bytes(8) * int(seconds * 4_000))
    return file.getvalue()


def form(content: bytes, *, name: str = "note.wav", **fields: str) -> aiohttp.FormData:
    """A recording with its fields before it."""
    made = aiohttp.FormData(fields, quote_fields=False)
    made.add_field("file", content, filename=name, content_type="application/octet-stream")
    return made


async def upload(
    http: aiohttp.ClientSession,
    content: bytes,
    *,
    key: str | None = None,
    name: str = "note.wav",
    **fields: str,
) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer."""
    headers = {"Idempotency-Key": key} if key else {}
    data = form(content, name=name, **fields)
    async with http.post("/v1/upload/audio", data=data, headers=headers) as answer:
        return answer.status, await answer.json()


async def accepted(http: aiohttp.ClientSession, content: bytes, **options: Any) -> dict[str, Any]:
    """The answer to an upload that is taken."""
    status, body = await upload(http, content, **options)
    assert status == 202, body
    return body


async def get(http: aiohttp.ClientSession, path: str, **headers: str) -> dict[str, Any]:
    """The body of an answer that must be good."""
    async with http.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def over(
    http: aiohttp.ClientSession,
    upload: Mapping[str, Any],
    *,
    until: Collection[str] = OVER,
    within: float = 60,
) -> dict[str, Any]:
    """Wait until every stage of an upload has ended; its status, as last told."""
    async with asyncio.timeout(within):
        while True:
            status = await get(http, upload["statusUrl"], **{"Headwater-After": upload["position"]})
            if status["status"] in until:
                return status
            await asyncio.sleep(0.05)


async def completed(http: aiohttp.ClientSession, content: bytes, **options: Any) -> dict[str, Any]:
    """Upload, wait for the end of all stages, which must be good; the answer to the upload."""
    taken = await accepted(http, content, **options)
    status = await over(http, taken)
    assert status["status"] == "completed", status
    return taken


async def idle(deployment: Deployment) -> None:
    """Wait until no handler has anything to do; looked at thrice: queues are not all asked at one moment,
    and hear of new events a moment after whoever wrote them. `/status` would not do: it may be a second old."""
    async with _operator(deployment) as nc, asyncio.timeout(60):
        looks = 0
        while looks < 3:
            queues = await backlog.queues(nc, contexts.STREAMS)
            looks = 0 if any(each.waiting or each.at_work for each in queues) else looks + 1
            await asyncio.sleep(0.1)


async def stored_messages(deployment: Deployment) -> int:
    """How many messages the blob store consists of: pieces and descriptions of blobs."""
    async with _operator(deployment) as nc:
        return int((await jetstream.api(nc, "STREAM.INFO.OBJ_BLOBS"))["state"]["messages"])


@asynccontextmanager
async def _operator(deployment: Deployment) -> AsyncIterator[Client]:
    nc = await jetstream.connect(deployment.nats[0].operator_url, name="tests")
    try:
        yield nc
    finally:
        await nc.close()
