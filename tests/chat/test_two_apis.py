"""Two API processes side by side: a conversation is the same on both, and goes on there when one is lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from infra.embedded.ports import free_ports
from tests.chat.talking import Talk, chat_of, new_project, read, talking, word
from tests.deployment import KEY, Deployment, Part
from tests.generation.ollama_server import OllamaServer, Say


@pytest.fixture(scope="module")
async def beside(modelled: Deployment) -> AsyncIterator[tuple[Part, str]]:
    """Another API process of the same Headwater, and its URL."""
    port, folder = str(free_ports(1)[0]), modelled.home / "beside"
    folder.mkdir()
    settings: Mapping[str, str] = {**modelled.environment, "PORT": port}
    part = Part("serve", settings, folder)
    await part.start()
    try:
        yield part, f"http://127.0.0.1:{port}"
    finally:
        if part.running:
            await part.stop()


async def shown(talk: Talk, reply: str, text: str) -> None:
    """Wait until so much of a reply has come."""
    while talk.chunks(reply) != text:
        await talk.hear()


def kinds(talk: Talk) -> list[str]:
    return [each["type"] for each in talk.heard]


async def test_a_client_that_loses_one_process_goes_on_at_the_other_without_loss_or_repetition(
    modelled: Deployment, beside: tuple[Part, str], ollama: OllamaServer
) -> None:
    other, url = beside
    first, asked, hold = word(), word(), asyncio.Event()
    headers = {"X-Api-Key": KEY}
    async with modelled.client() as here, aiohttp.ClientSession(url, headers=headers) as there:
        project = await new_project(there, title="Two")
        with ollama.says(chat_of(asked), Say(["one ", "two ", "three ", "four"], hold=hold)):
            async with talking(here, project) as tab:
                await until_known(there, project)
                async with talking(there, project) as talk:
                    complete = await talk.asked(first)
                    await tab.hear("message_complete")
                    assert "message" in kinds(tab), "what is said in one process is told in the other"
                    await talk.say("chat_message", content=asked)
                    ack = await talk.hear("ack")
                    reply: str = ack["replyId"]
                    await shown(talk, reply, "one two three ")
                    other.kill()
                    await other.ended()
                history = await read(here, f"/api/projects/{project}", ack["position"])
                assert [each["content"] for each in history["messages"]] == [
                    first, complete["fullContent"], asked,
                ]  # fmt: skip
                assert history["running"] == reply
                lost = {"from": complete["position"], "messageId": reply, "attempt": 1, "index": 8}
                async with talking(here, project, **lost) as back:
                    assert said_of(await back.hear()) == ("message", asked)
                    assert said_of(await back.hear()) == ("message_chunk", "three ")
                    hold.set()
                    ended = await back.hear("message_complete")
                    assert kinds(back).count("message_start") == 0
                    rest = [each["content"] for each in back.heard if each["type"] == "message_chunk"]
                    assert "".join(rest) == "three four"
                    assert await tab.told(reply) == "one two three four"
                    assert kinds(tab).count("message_complete") == 2
        await other.start()
        async with talking(there, project, **{"from": ack["position"]}) as late:
            missed = await late.hear()
            assert said_of(missed) == ("message_complete", "one two three four")
            await late.say("resume", **{"from": ended["position"]})
            await late.say("ping")
            assert (await late.hear())["type"] == "pong", "nothing has happened since"
            await late.say("resume", **{"from": complete["position"]})
            assert said_of(await late.hear()) == ("message", asked)
            assert said_of(await late.hear()) == ("message_complete", "one two three four")


async def test_a_reply_can_be_stopped_from_the_other_process(
    modelled: Deployment, beside: tuple[Part, str], ollama: OllamaServer
) -> None:
    _, url = beside
    asked, never = word(), asyncio.Event()
    async with modelled.client() as here, aiohttp.ClientSession(url, headers={"X-Api-Key": KEY}) as there:
        project = await new_project(here, title="Two")
        await until_known(there, project)
        async with talking(here, project) as talk, talking(there, project) as tab:
            with ollama.says(chat_of(asked), Say(["so ", "far ", "never"], hold=never)):
                await talk.say("chat_message", content=asked)
                reply: str = (await talk.hear("ack"))["replyId"]
                await shown(tab, reply, "so far ")
                await tab.say("stop")
                for each in (talk, tab):
                    complete = await each.hear("message_complete")
                    assert (complete["fullContent"], complete["stopped"]) == ("so far ", True)


def said_of(heard: dict[str, Any]) -> tuple[str, str]:
    """What kind of message, and its text."""
    return heard["type"], heard.get("content") or heard["fullContent"]


async def until_known(http: aiohttp.ClientSession, project: str) -> None:
    """A project that was made a moment ago is found once its first event can be read."""
    async with asyncio.timeout(20):
        while True:
            async with http.get(f"/api/projects/{project}") as answer:
                if answer.status == 200:
                    return
