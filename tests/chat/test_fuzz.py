"""Nothing that one client sends harms another."""

import asyncio
import json
import random
from contextlib import suppress

import aiohttp
from aiohttp import WSMsgType

from tests.chat.talking import Talk, new_project, talking
from tests.deployment import KEY, Deployment

JUNK = (
    "", "null", "[]", "1", '"x"', "{", "{}", '{"type":1}', '{"type":"nope"}', '{"type":"chat_message"}',
    '{"type":"chat_message","content":7}', '{"type":"chat_message","content":""}',
    '{"type":"chat_message","content":"  "}',
    '{"type":"chat_message","content":"a\\u0000b"}', '{"type":"chat_message","content":"\\ud800"}',
    '{"type":"chat_message","content":"x","parentId":"y"}', '{"type":"edit","messageId":3,"content":"x"}',
    '{"type":"resume","from":"elsewhere"}', '{"type":"resume","index":-5}',
    '{"type":"stop","messageId":[]}', json.dumps({"type": "chat_message", "content": "x" * 100_001}), "[" * 100_000,
)  # fmt: skip


async def test_junk_is_refused_and_the_socket_stays(client: aiohttp.ClientSession) -> None:
    project = await new_project(client)
    for n in range(0, len(JUNK), 8):  # more mistakes at once end a socket
        async with talking(client, project) as talk:
            for frame in JUNK[n : n + 8]:
                await talk.ws.send_str(frame)
                if '"resume","index"' not in frame:
                    assert (await talk.hear())["code"] == "BAD_MESSAGE", frame[:80]
            await talk.ws.send_bytes(b"\x00\xff")
            assert (await talk.hear())["code"] == "BAD_MESSAGE"
            await talk.say("regenerate")
            assert (await talk.hear())["code"] == "NOTHING_TO_REGENERATE"
            await talk.say("edit", messageId=project, content="x")
            assert (await talk.hear())["code"] == "MESSAGE_NOT_FOUND"
            await talk.say("ping")
            await talk.hear("pong")


async def test_floods_and_bombs_end_their_own_socket_only(client: aiohttp.ClientSession) -> None:
    project = await new_project(client)
    async with talking(client, project) as friend:
        async with talking(client, project) as flood:
            for _ in range(300):
                await flood.ws.send_str("junk")
            assert await flood.farewell() == 1008
        async with talking(client, project) as bomb:
            await bomb.ws.send_str("x" * (1 << 20))
            assert await bomb.farewell() == 1009
        chance = random.Random(1)
        async with talking(client, project) as noise:
            for _ in range(15):
                await noise.ws.send_bytes(chance.randbytes(2000))
            noise.ws._response.connection.transport.abort()  # type: ignore[union-attr]
        async with talking(client, project) as flood, asyncio.TaskGroup() as group:
            group.create_task(_flooding(flood, chance))
            for _ in range(20):
                await friend.say("ping")
                await friend.hear("pong")
        complete = await friend.asked("Still there?")
        assert complete["fullContent"] == "You said: Still there?"
        assert [each["type"] for each in friend.heard if each["type"] == "error"] == []


async def _flooding(talk: Talk, chance: random.Random) -> None:
    """As fast as it goes, until it is sent away."""
    with suppress(ConnectionError):
        for n in range(2000):
            await talk.ws.send_str(json.dumps({"type": chance.choice(("ping", "resume", "stop", "x"))}))
            if n % 50 == 0:
                await asyncio.sleep(0)
    assert await talk.farewell() == 1008


async def test_reading_needs_one_scope_and_writing_another(
    modelled: Deployment, client: aiohttp.ClientSession
) -> None:
    project = await new_project(client)
    async with client.post("/v1/keys", json={"name": "reader", "scopes": ["chat:read"]}) as answer:
        assert answer.status == 201, await answer.text()
        secret = (await answer.json())["secret"]
    async with aiohttp.ClientSession(modelled.url, headers={"X-Api-Key": secret}) as reader:
        async with asyncio.timeout(60):
            while True:
                async with reader.get("/v1/projects") as answer:
                    if answer.status == 200:
                        break
        async with talking(reader, project) as talk:
            await talk.say("chat_message", content="May I?")
            assert (await talk.hear())["code"] == "SCOPE_REQUIRED"
        async with reader.post("/v1/projects", json={}) as answer:
            assert answer.status == 403
    async with aiohttp.ClientSession(modelled.url) as browser:
        url = f"/v1/ws/chat?projectId={project}&access_token={KEY}"
        async with browser.ws_connect(url) as ws:
            await ws.send_json({"type": "ping"})
            assert (await ws.receive()).type is WSMsgType.TEXT
