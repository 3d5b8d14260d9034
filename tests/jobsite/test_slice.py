"""A recording from its upload to a search hit that plays, on the real servers and processes."""

import asyncio
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import aiohttp
import pytest

from infra.blobs.signing import Claim, sign
from infra.embedded.home import Secrets
from infra.samples import SITE_NOTE
from tests.deployment import Deployment
from tests.jobsite.uploads import LIFE, accepted, completed, get, lived, over, sound, upload
from tests.speech.whisper_server import TEXT

RECORDING = SITE_NOTE.read_bytes()


async def events(ws: aiohttp.ClientWebSocketResponse, *, count: int) -> list[dict[str, Any]]:
    """So many events that a socket is told of; other messages are left out."""
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while len(heard) < count:
            message = await ws.receive_json()
            if message["type"] == "event":
                heard.append(message)
    return heard


async def test_a_recording_becomes_a_transcript_that_is_found_and_plays(http: aiohttp.ClientSession) -> None:
    job = str(uuid4())
    taken = await accepted(http, RECORDING, name="site.ogg", jobId=job, title="Boiler room")
    status = await over(http, taken)
    assert [(each["stage"], each["state"], each["progress"]) for each in status["stages"]] == [
        ("transcribe", "completed", 100),
        ("understand", "completed", 100),
        ("summarise", "completed", 100),
        ("index", "completed", 100),
        ("report", "completed", 100),
        ("notify", "completed", 100),
    ]
    session = await get(http, f"/v1/sessions/{taken['sessionId']}")
    assert session["transcript"]["text"].replace("\n", " ") == TEXT
    assert (session["jobId"], session["title"], session["mediaType"]) == (job, "Boiler room", "audio/ogg")
    assert session["seconds"] == pytest.approx(22.6, abs=1)
    [hit] = (await get(http, f"/v1/search?q=order+drywall&jobId={job}"))["hits"]
    assert hit["sessionId"] == taken["sessionId"]
    assert hit["moment"] == {"text": "Order drywall.", "start": 2.5, "end": 4.0}
    async with http.post("/v1/search", json={"query": "order drywall", "scope": {"jobId": job}}) as answer:
        assert [each["score"] for each in (await answer.json())["hits"]] == [hit["score"]]
    link = hit["audioUrl"].partition("#")[0]
    async with aiohttp.ClientSession() as player, player.get(link) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/ogg")
        assert await answer.read() == RECORDING


async def test_a_link_serves_ranges_and_is_worth_nothing_when_changed_or_old(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    content = sound()
    taken = await completed(http, content)
    link = (await get(http, f"/v1/sessions/{taken['sessionId']}"))["audioUrl"]
    async with aiohttp.ClientSession() as player:
        async with player.get(link, headers={"Range": "bytes=100-199"}) as answer:
            assert (answer.status, await answer.read()) == (206, content[100:200])
            assert answer.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
            version = answer.headers["ETag"]
        async with player.get(link, headers={"If-None-Match": version}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        async with player.get(link, headers={"Range": "bytes=0-9", "If-Range": '"another"'}) as answer:
            assert (answer.status, await answer.read()) == (200, content)
        parts = urlsplit(link)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        later = urlencode({**query, "expires": str(int(query["expires"]) + 3600)})
        other = urlencode({**query, "name": "other.html", "type": "text/html"})
        secret = Secrets(deployment.home / "secrets").get("downloads").encode()
        key = hashlib.sha256(content).hexdigest()
        old = sign(secret, Claim(key, query["name"], query["type"], int(time.time()) - 1))
        for refused in (f"{parts.path}?{later}", f"{parts.path}?{other}", parts.path, old):
            async with player.get(f"{deployment.url}{refused}") as answer:
                assert (answer.status, (await answer.json())["code"]) == (403, "LINK_REFUSED"), refused


async def test_live_topics_tell_each_event_once_and_resume_behind_a_cursor(
    http: aiohttp.ClientSession,
) -> None:
    job = str(uuid4())
    async with http.ws_connect(f"/v1/ws?topics=jobs:{job}") as ws:
        assert (await ws.receive_json())["type"] == "subscribed"
        taken = await accepted(http, sound(), jobId=job)
        of_job = await events(ws, count=len(LIFE) + 1)
    assert lived([each["event"].rpartition(".")[2] for each in of_job])
    assert of_job[0]["cursor"] == taken["position"]
    stream, _, position = taken["position"].partition("@")
    topic = f"sessions:{taken['sessionId']}"
    async with http.ws_connect(f"/v1/ws?topics={topic}&from={stream}@{int(position) - 1}") as ws:
        missed = await events(ws, count=len(LIFE) + 1)
    assert lived([each["event"].rpartition(".")[2] for each in missed])
    assert {each["topic"] for each in missed} == {topic}
    async with http.get(f"/v1/events?topics={topic}&from={missed[0]['cursor']}") as stream_of_events:
        told = []
        async for line in stream_of_events.content:
            if line.startswith(b"id: "):
                told.append(line[4:].decode().strip())
            if missed[-1]["cursor"] in told:
                break
    assert told[1 - len(missed) :] == [each["cursor"] for each in missed[1:]]


async def test_sessions_are_listed_newest_first_in_pages_and_by_status(http: aiohttp.ClientSession) -> None:
    job = str(uuid4())
    good = [(await completed(http, sound(), jobId=job))["sessionId"] for _ in range(3)]
    silent = await accepted(http, sound(0), jobId=job)
    assert (await over(http, silent))["status"] == "failed"
    first = await get(http, f"/v1/sessions?jobId={job}&limit=3")
    assert [each["id"] for each in first["items"]] == [silent["sessionId"], *good[:0:-1]]
    second = await get(http, f"/v1/sessions?jobId={job}&limit=3&cursor={first['nextCursor']}")
    assert ([each["id"] for each in second["items"]], second["nextCursor"]) == (good[:1], None)
    failed = await get(http, f"/v1/sessions?jobId={job}&status=failed")
    assert [each["id"] for each in failed["items"]] == [silent["sessionId"]]
    done = await get(http, f"/v1/sessions?jobId={job}&status=completed")
    assert [each["id"] for each in done["items"]] == good[::-1]
    async with http.get("/v1/sessions?cursor=nonsense") as answer:
        assert answer.status == 400


async def test_a_session_that_is_done_is_not_sent_twice(http: aiohttp.ClientSession) -> None:
    taken = await completed(http, sound())
    path = f"/v1/sessions/{taken['sessionId']}"
    async with http.get(path) as answer:
        etag = answer.headers["ETag"]
    async with http.get(path, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_what_was_just_accepted_can_be_read_at_once(http: aiohttp.ClientSession) -> None:
    for _ in range(5):
        taken = await accepted(http, sound())
        async with http.get(taken["statusUrl"]) as answer:
            assert answer.status == 200
        after = {"Headwater-After": taken["position"]}
        listed = await get(http, "/v1/sessions?limit=1", **after)
        assert listed["items"][0]["id"] == taken["sessionId"]


async def test_a_position_that_is_far_ahead_is_waited_for_and_then_refused(deployment: Deployment) -> None:
    began, ahead = time.monotonic(), {"Headwater-After": "JOBSITE@999999999"}
    async with deployment.client(middlewares=()) as http, http.get("/v1/sessions", headers=ahead) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "NOT_YET_READABLE")
        assert int(answer.headers["Retry-After"]) >= 1
    assert time.monotonic() - began > 1.5


async def test_what_is_not_there_is_not_found(http: aiohttp.ClientSession) -> None:
    for path in (f"/v1/sessions/{uuid4()}", f"/v1/upload/status/{uuid4()}"):
        async with http.get(path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "SESSION_NOT_FOUND")


async def test_the_read_model_can_be_made_anew_from_the_log_while_it_serves(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    taken = await completed(http, RECORDING, title="Rebuilt")
    before = await get(http, f"/v1/sessions/{taken['sessionId']}")
    compared = await deployment.cli("rebuild", "all", "--dry-run")
    assert compared.status == 0, compared
    assert "DIFFERS" not in compared.out
    rebuilt = await deployment.cli("rebuild", "jobsite")
    assert (rebuilt.status, "swapped in" in rebuilt.out) == (0, True), rebuilt
    after = await get(http, f"/v1/sessions/{taken['sessionId']}")
    for each in (before, after):
        each.pop("audioUrl")  # signed anew, with another end
    assert after == before
    assert (await upload(http, sound()))[0] == 202
    again = await completed(http, sound())
    assert (await get(http, f"/v1/sessions/{again['sessionId']}"))["status"] == "completed"


async def test_nothing_went_wrong_behind_the_scenes(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    with deployment.without_complaint():
        await completed(http, sound())
