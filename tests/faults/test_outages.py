"""While something is away: what still works, what is told to those who ask, and that it catches up."""

import asyncio
import time
from uuid import uuid4

import aiohttp

from tests.chat.talking import new_project, talking
from tests.deployment import Deployment
from tests.jobsite.uploads import accepted, completed, get, over, sound, upload


async def refused(http: aiohttp.ClientSession, path: str) -> str:
    """The code of an answer that must be 503 and say when to ask again."""
    async with http.get(path) as answer:
        body = await answer.json()
        assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True), body
        return str(body["code"])


async def until_ready(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(60):
        while True:
            async with http.get("/v1/health/ready") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.1)


async def test_without_postgres_uploads_are_accepted_and_reads_say_when_to_ask_again(
    victim: Deployment,
) -> None:
    async with victim.client() as http:
        before = await completed(http, sound())
        await victim.postgres.stop()
        try:
            taken = [await accepted(http, sound()) for _ in range(4)]
            paths = ("/v1/sessions", "/v1/search?q=drywall", "/v1/dead-letters", "/v1/alerts")
            of_sessions = [
                path
                for each in (before, taken[0])
                for path in (each["statusUrl"], f"/v1/sessions/{each['sessionId']}")
            ]
            codes = [await refused(http, path) for path in (*paths, *of_sessions)]
            assert set(codes) == {"DATABASE_UNAVAILABLE"}
            health = await get(http, "/health")
            assert (health["status"], health["database"], health["log"]) == (
                "degraded",
                "disconnected",
                "connected",
            )
            assert (await get(http, "/status"))["projections"] is None
            async with http.get("/v1/health/ready") as answer:
                assert answer.status == 503
        finally:
            await victim.postgres.start()
        await until_ready(http)
        for each in taken:
            async with asyncio.timeout(60):
                while (await _status(http, each["statusUrl"])) != "completed":  # noqa: ASYNC110 - elsewhere
                    await asyncio.sleep(0.1)


async def test_without_postgres_a_conversation_stays_open_and_says_what_cannot_be_done(
    victim: Deployment,
) -> None:
    async with victim.client() as http:
        project = await new_project(http)
        async with talking(http, project) as talk:
            message = {"content": "Anybody there?", "messageId": str(uuid4())}
            await victim.postgres.stop()
            try:
                await talk.say("chat_message", **message)
                assert (await talk.hear("error"))["code"] == "DATABASE_UNAVAILABLE"
                await talk.say("ping")
                await talk.hear("pong")
            finally:
                await victim.postgres.start()
            await until_ready(http)
            await talk.say("chat_message", **message)
            assert (await talk.hear("ack"))["messageId"] == message["messageId"]
            assert (await talk.hear("error"))["code"] == "AI_UNAVAILABLE"


async def _status(http: aiohttp.ClientSession, path: str) -> str | None:
    async with http.get(path) as answer:
        assert answer.status in {200, 503}
        return (await answer.json())["status"] if answer.status == 200 else None


async def test_without_nats_commands_say_when_to_ask_again_reads_go_on_and_sockets_stay(
    victim: Deployment,
) -> None:
    (nats,) = victim.nats
    job, key, content = str(uuid4()), str(uuid4()), sound()
    async with victim.client() as http:
        before = await completed(http, sound(), jobId=job)
        async with http.ws_connect(f"/v1/ws?topics=jobs:{job}") as ws:
            assert (await ws.receive_json())["type"] == "subscribed"
            nats.kill()
            try:
                began = time.monotonic()
                answer, (status, problem) = await asyncio.gather(
                    http.post("/v1/keys", json={"name": "x", "scopes": ["jobsite:read"]}),
                    upload(http, content, key=key, jobId=job),
                )
                assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True)
                assert status == 503, problem
                assert time.monotonic() - began < 12
                assert len((await get(http, f"/v1/sessions?jobId={job}"))["items"]) == 1
                session = await get(http, f"/v1/sessions/{before['sessionId']}")
                assert session["status"] == "completed"
                assert (await get(http, f"/v1/search?q=drywall&jobId={job}"))["hits"]
                health = await get(http, "/health")
                assert (health["log"], health["database"]) == ("disconnected", "connected")
                await ws.send_json({"action": "ping"})
                assert (await ws.receive_json())["type"] == "pong"
            finally:
                await nats.start()
            await until_ready(http)
            taken = await accepted(http, content, key=key, jobId=job)
            async with asyncio.timeout(60):
                told = await ws.receive_json()
                assert (told["event"], told["cursor"]) == (
                    "jobsite.session.audio_uploaded",
                    taken["position"],
                )
        assert (await over(http, taken))["status"] == "completed"


async def test_a_speech_server_that_fails_is_asked_again_until_it_answers(victim: Deployment) -> None:
    async with victim.client() as http:
        victim.whisper.fault = "500"
        try:
            taken = await accepted(http, sound())
            async with asyncio.timeout(60):
                while not (stage := (await get(http, taken["statusUrl"]))["stages"][0])["error"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (stage["state"], stage["error"]["code"]) == ("processing", "ATTEMPT_FAILED")
        finally:
            victim.whisper.fault = None
        status = await over(http, taken)
    assert (status["status"], status["stages"][0]["error"]) == ("completed", None)
    assert status["stages"][0]["attempts"] > 1
