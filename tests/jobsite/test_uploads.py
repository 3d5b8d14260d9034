"""What people and programs send instead of a recording, and what remains of it: nothing."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import psutil
import pytest

from infra.samples import SITE_NOTE
from tests.deployment import KEY, Deployment
from tests.jobsite.uploads import (
    accepted,
    completed,
    form,
    get,
    idle,
    over,
    sound,
    stored_messages,
    upload,
)

RECORDING = SITE_NOTE.read_bytes()
LARGEST = 200 << 20


@pytest.fixture
async def leaves_nothing(deployment: Deployment) -> AsyncIterator[None]:
    """In the end the blob store holds no more than before."""
    await idle(deployment)
    before = await stored_messages(deployment)
    yield
    async with asyncio.timeout(60):
        while await stored_messages(deployment) > before:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"%PDF-1.7 a letter", "note.wav", 415, "AUDIO_UNSUPPORTED"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5000), "note.mp3", 415, "AUDIO_UNSUPPORTED"),
        (b"<html><script>", "note.ogg", 415, "AUDIO_UNSUPPORTED"),
        (bytes(9000), "note.m4a", 415, "AUDIO_UNSUPPORTED"),
        (b"", "note.wav", 422, "AUDIO_EMPTY"),
    ],
)
async def test_what_is_no_recording_is_refused_whatever_its_name(
    http: aiohttp.ClientSession, content: bytes, name: str, status: int, code: str
) -> None:
    refused, problem = await upload(http, content, name=name)
    assert (refused, problem["code"], problem["field"]) == (status, code, "file")


@pytest.mark.parametrize("name", ["letter.pdf", "", "../../etc/passwd", "ü\u202e.exe", "x" * 300])
async def test_a_recording_is_taken_whatever_its_name(http: aiohttp.ClientSession, name: str) -> None:
    taken = await accepted(http, sound(), name=name)
    session = await get(http, f"/v1/sessions/{taken['sessionId']}")
    assert session["mediaType"] == "audio/wav"
    assert session["fileName"] == name.rpartition("/")[2][:255]


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"jobId": "not-a-uuid"}, "INVALID_PARAMETER"),
        ({"recordedAt": "yesterday"}, "INVALID_PARAMETER"),
        ({"recordedAt": "2026-11-16T07:30:00"}, "INVALID_PARAMETER"),
        ({"notifyEmail": "nobody"}, "INVALID_PARAMETER"),
        ({"title": "x" * 501}, "INVALID_PARAMETER"),
        ({"colour": "blue"}, "UNKNOWN_FIELD"),
    ],
)
@pytest.mark.parametrize("where", ["before", "after"])
async def test_wrong_fields_before_or_after_the_file_refuse_the_whole(
    http: aiohttp.ClientSession, fields: dict[str, str], code: str, where: str
) -> None:
    data = aiohttp.FormData(fields if where == "before" else {})
    data.add_field("file", RECORDING, filename="site.ogg")
    for name, value in fields.items() if where == "after" else ():
        data.add_field(name, value)
    async with http.post("/v1/upload/audio", data=data) as answer:
        problem = await answer.json()
        assert (answer.status, problem["code"], problem["field"]) == (400, code, next(iter(fields)))


@pytest.mark.usefixtures("leaves_nothing")
async def test_a_form_without_a_file_or_with_two_is_refused(http: aiohttp.ClientSession) -> None:
    bare = aiohttp.FormData({"title": "x"}, default_to_multipart=True)
    async with http.post("/v1/upload/audio", data=bare) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "FILE_MISSING")
    data = form(sound())
    data.add_field("file", sound(), filename="b.wav")
    async with http.post("/v1/upload/audio", data=data) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "DUPLICATE_FIELD")


@pytest.mark.usefixtures("leaves_nothing")
async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(deployment: Deployment) -> None:
    status = await raw_upload(deployment, announced=LARGEST + (2 << 20), content=sound())
    assert status == 413


@pytest.mark.usefixtures("leaves_nothing")
async def test_a_client_that_goes_away_leaves_nothing(deployment: Deployment) -> None:
    for _ in range(3):
        await raw_upload(deployment, announced=10 << 20, content=sound() + bytes(3 << 20), go=True)


async def raw_upload(
    deployment: Deployment, *, announced: int, content: bytes, go: bool = False
) -> int | None:
    """Announce so many bytes and send only the first of them; the answer's status, unless we `go` before it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(deployment.environment["PORT"]))
    head = (
        f"POST /v1/upload/audio HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\nContent-Length: {announced}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    )
    writer.write(head.encode() + content)
    try:
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        if go:
            writer.transport.abort()
            return None
        status = await asyncio.wait_for(reader.readline(), 60)
        return int(status.split()[1])
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (RECORDING[: len(RECORDING) // 2], {"AUDIO_TRUNCATED"}),
        (sound(2.0)[:9000], {"AUDIO_TRUNCATED"}),
        (sound(0), {"AUDIO_EMPTY"}),
        (b"OggS" + os.urandom(20_000), {"AUDIO_UNDECODABLE", "AUDIO_TRUNCATED", "AUDIO_NO_STREAM"}),
        (b"fLaC" + os.urandom(20_000), {"AUDIO_UNDECODABLE"}),
        (b"ID3\x04" + os.urandom(20_000), {"AUDIO_UNDECODABLE"}),
        (b"\x00\x00\x00\x20ftypM4A " + os.urandom(20_000), {"AUDIO_UNDECODABLE", "AUDIO_TRUNCATED"}),
        (b"\x1a\x45\xdf\xa3webm" + os.urandom(20_000), {"AUDIO_UNDECODABLE"}),
        (b"RIFF\xff\xff\xff\xffWAVEfmt " + os.urandom(20_000), {"AUDIO_UNDECODABLE", "AUDIO_TRUNCATED"}),
    ],
    ids=["half an ogg", "half a wav", "no samples", "ogg", "flac", "mp3", "m4a", "webm", "wav"],
)
async def test_what_only_begins_like_a_recording_fails_at_its_stage_with_a_reason(
    http: aiohttp.ClientSession, content: bytes, codes: set[str]
) -> None:
    taken = await accepted(http, content)
    status = await over(http, taken)
    assert status["status"] == "failed"
    transcribe, *rest = status["stages"]
    assert (transcribe["state"], {each["state"] for each in rest}) == ("failed", {"pending"})
    assert transcribe["error"]["code"] in codes
    assert transcribe["error"]["detail"]
    assert "/" not in transcribe["error"]["detail"]


async def test_the_same_key_and_file_are_one_session_for_ever(http: aiohttp.ClientSession) -> None:
    content, key = sound(), str(uuid4())
    first = await completed(http, content, key=key, title="Once")
    again = await accepted(http, content, key=key, title="Once")
    assert again == first
    together = await asyncio.gather(*(accepted(http, content, key=key, title="Once") for _ in range(5)))
    assert all(each == first for each in together)


async def test_a_key_that_is_used_at_once_by_many_makes_one_session(http: aiohttp.ClientSession) -> None:
    content, key = sound(), str(uuid4())
    answers = await asyncio.gather(*(accepted(http, content, key=key) for _ in range(8)))
    assert {each["sessionId"] for each in answers} == {answers[0]["sessionId"]}
    assert {each["position"] for each in answers} == {answers[0]["position"]}


async def test_a_key_means_one_request(http: aiohttp.ClientSession) -> None:
    content, key = sound(), str(uuid4())
    await accepted(http, content, key=key, title="Monday")
    for other, title in ((sound(), "Monday"), (content, "Tuesday")):
        status, problem = await upload(http, other, key=key, title=title)
        assert (status, problem["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_without_a_key_the_same_file_is_another_session(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    content = sound()
    first = await completed(http, content)
    await idle(deployment)
    stored = await stored_messages(deployment)
    second = await completed(http, content)
    assert first["sessionId"] != second["sessionId"]
    # The file, its transcript and its chunks are there once. Summary and report (two versions) name their session.
    assert await stored_messages(deployment) == stored + 6


async def test_many_large_uploads_at_once_leave_the_api_small(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    """Four of 8 MB here; twenty of 50 MB, tried by hand, behave alike."""
    await accepted(http, sound())
    api, peak = psutil.Process(deployment.serve.pid), 0
    before = api.memory_info().rss

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, api.memory_info().rss)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    large = [sound() + os.urandom(8 << 20) for _ in range(4)]
    answers = await asyncio.gather(*(accepted(http, each) for each in large))
    watching.cancel()
    assert peak - before < 30 << 20
    for each in answers:
        await over(http, each, within=60)
