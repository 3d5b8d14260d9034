"""What was agreed with those who build front ends, AC-001 to AC-010, through real sockets."""

import asyncio
import sys
from datetime import datetime

import aiohttp
import psutil

from infra.embedded.ports import free_ports
from tests.chat.talking import new_project, read, talking, word
from tests.deployment import ROOT, Deployment
from tests.generation.ollama_server import OllamaServer, Say


async def test_ac_001_projects_are_created_and_listed(client: aiohttp.ClientSession) -> None:
    async with client.post("/api/projects", json={"title": "My App"}) as answer:
        assert answer.status == 201
        made = await answer.json()
        position = answer.headers["Headwater-Position"]
    assert made.keys() >= {"id", "title", "messageCount", "createdAt", "updatedAt"}
    async with client.post("/api/projects", json={}) as answer:
        assert (await answer.json())["title"] == "New Project"
    listed = await read(client, "/api/projects", position)
    [found] = [each for each in listed["projects"] if each["id"] == made["id"]]
    assert (found["title"], found["messageCount"]) == ("My App", 0)
    assert datetime.fromisoformat(found["createdAt"])


async def test_ac_002_a_socket_connects_and_stays(client: aiohttp.ClientSession) -> None:
    async with talking(client, await new_project(client)) as talk:
        for _ in range(3):
            await talk.say("ping")
            assert (await talk.hear())["type"] == "pong"
        await talk.ws.ping(b"there?")
        await talk.say("ping")
        await talk.hear("pong")
        assert not talk.ws.closed


async def test_ac_003_a_reply_streams_with_its_code(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked = word()
    pieces = ["Here:\n", "```py", "thon\nprint", "(1)\n", "``", "`\n", "Done."]
    async with talking(client, await new_project(client)) as talk:
        with ollama.says(asked, Say(pieces, delay=0.03)):
            complete = await talk.asked(f"Write code, {asked}", timestamp="2026-01-01T00:00:00Z")
    kinds = [each["type"] for each in talk.heard]
    assert kinds.index("ack") < kinds.index("message_complete")
    assert kinds.index("message_start") < kinds.index("message_chunk")
    assert kinds.count("message_chunk") > 1
    assert complete["fullContent"] == "".join(pieces)
    [start] = [each for each in talk.heard if each["type"] == "message_start"]
    assert start["messageId"] == complete["messageId"]
    assert start["timestamp"]
    assert start["attempt"] == 1
    [closed] = [each for each in talk.heard if each["type"] == "code_block"]
    assert closed["codeBlock"] == complete["codeBlocks"][0]
    assert kinds.index("code_block") < kinds.index("message_complete")


async def test_ac_004_code_says_its_language_and_where_it_is(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked, text = word(), "Look:\n\n```python\nprint(1)\n```\n\nand\n\n~~~js\nlet a\n~~~"
    project = await new_project(client)
    async with talking(client, project) as talk:
        with ollama.says(asked, Say([text])):
            complete = await talk.asked(asked)
    python, js = complete["codeBlocks"]
    assert (python["language"], python["code"], js["language"]) == ("python", "print(1)", "js")
    assert complete["fullContent"][python["startIndex"] : python["endIndex"]] == "```python\nprint(1)\n```"
    shown = await read(client, f"/api/projects/{project}")
    blocks = shown["messages"][1]["codeBlocks"]
    assert blocks[0] == {"language": "python", "code": "print(1)", "startLine": 3, "endLine": 5}


async def test_ac_005_the_second_message_sees_the_first(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    first, second = word(), word()
    async with talking(client, await new_project(client, instructions="Be brief.")) as talk:
        with ollama.says(first, "I shall remember."):
            await talk.asked(f"Remember {first}")
            await talk.asked(f"What was it, {second}?")
    [call] = ollama.called(second)
    assert [(each["role"], each["content"]) for each in call["messages"]] == [
        ("system", "Be brief."),
        ("user", f"Remember {first}"),
        ("assistant", "I shall remember."),
        ("user", f"What was it, {second}?"),
    ]


async def test_ac_006_history_is_kept(client: aiohttp.ClientSession, ollama: OllamaServer) -> None:
    asked = word()
    project = await new_project(client)
    async with talking(client, project) as talk:
        with ollama.says(asked, "Yes."):
            complete = await talk.asked(asked)
    shown = await read(client, f"/api/projects/{project}", complete["position"])
    assert [(each["role"], each["content"]) for each in shown["messages"]] == [
        ("user", asked),
        ("assistant", "Yes."),
    ]
    assert shown["messageCount"] == 2
    for each in shown["messages"]:
        assert each.keys() >= {"id", "role", "content", "codeBlocks", "createdAt"}
    usage = shown["messages"][1]["usage"]
    assert usage["completionTokens"] == 1
    assert usage["promptTokens"] > 0


async def test_ac_007_a_deleted_project_is_gone(client: aiohttp.ClientSession) -> None:
    project = await new_project(client)
    async with talking(client, project) as talk:
        async with client.delete(f"/api/projects/{project}") as answer:
            assert answer.status == 204
            position = answer.headers["Headwater-Position"]
        assert await talk.farewell() == 4404
    for method in ("GET", "DELETE"):
        async with client.request(method, f"/api/projects/{project}") as answer:
            if method == "GET" and answer.status == 200:  # the read model is a moment behind
                await read(client, "/api/projects", position)
                continue
            assert answer.status == 404
            assert (await answer.json())["error"] == "project not found"
        async with client.request(method, "/api/projects/no-such-project") as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "project not found")
    listed = await read(client, "/api/projects", position)
    assert project not in [each["id"] for each in listed["projects"]]
    async with asyncio.timeout(20):
        while True:
            async with client.get(f"/api/projects/{project}/deletion") as answer:
                if answer.status == 200:
                    assert (await answer.json())["left"] == 0
                    break
            await asyncio.sleep(0.1)


async def test_ac_008_health_says_that_the_database_is_there(modelled: Deployment) -> None:
    async with aiohttp.ClientSession(modelled.url) as anybody, anybody.get("/health") as answer:
        assert answer.status == 200
        health = await answer.json()
    assert (health["status"], health["database"]) == ("healthy", "connected")
    assert datetime.fromisoformat(health["timestamp"])


async def test_ac_009_a_client_that_comes_back_goes_on_where_it_left_off(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked, hold = word(), asyncio.Event()
    project = await new_project(client)
    with ollama.says(asked, Say(["one ", "two ", "three"], hold=hold)):
        async with talking(client, project) as talk:
            await talk.say("chat_message", content=asked)
            ack = await talk.hear("ack")
            while talk.chunks(ack["replyId"]) != "one two ":
                await talk.hear()
        shown = await read(client, f"/api/projects/{project}", ack["position"])
        assert [each["content"] for each in shown["messages"]] == [asked]
        assert shown["running"] == ack["replyId"]
        async with talking(client, project) as anew, talking(
            client, project, messageId=ack["replyId"], attempt=1, index=4
        ) as rest:  # fmt: skip
            assert (await anew.hear())["type"] == "message_start"
            assert (await anew.hear())["content"] == "one two "
            only = await rest.hear()
            assert (only["type"], only["content"], only["index"]) == ("message_chunk", "two ", 4)
            hold.set()
            assert await anew.told(ack["replyId"]) == "one two three"
            await rest.hear("message_complete")
            said = [each["content"] for each in rest.heard if each["type"] == "message_chunk"]
            assert "".join(said) == "two three"
        async with talking(client, project, **{"from": ack["position"]}) as late:
            missed = await late.hear()
            assert (missed["type"], missed["fullContent"]) == ("message_complete", "one two three")


async def test_ac_010_it_is_ready_within_five_seconds(modelled: Deployment) -> None:
    port = str(free_ports(1)[0])
    serve = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "serve", env={**modelled.environment, "PORT": port}, cwd=ROOT
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client, asyncio.timeout(60):
            while await readiness(client) != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        spent = psutil.Process(serve.pid).cpu_times()
        assert spent.user + spent.system < 5, "of processor time: other tests may keep it waiting"
    finally:
        serve.terminate()
        await serve.wait()


async def readiness(client: aiohttp.ClientSession) -> int:
    """0 while nobody listens."""
    try:
        async with client.get("/v1/health/ready") as answer:
            return answer.status
    except aiohttp.ClientConnectorError:
        return 0
