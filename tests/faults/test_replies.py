"""Processes that end in the middle of a reply: nothing of it is lost, mixed up or told twice."""

import asyncio

from infra import jetstream
from infra.stored import direct_all
from tests.chat.talking import Talk, chat_of, new_project, read, talking, word
from tests.chat.test_sources import events_of, papers
from tests.deployment import Deployment
from tests.erasure.test_sessions import gone
from tests.generation.ollama_server import OllamaServer, Say

PIECES = ["one ", "two ", "three ", "four"]


async def begun(talk: Talk, asked: str) -> str:
    """Ask, and wait until all but the last piece has come."""
    await talk.say("chat_message", content=asked)
    reply: str = (await talk.hear("ack"))["replyId"]
    while talk.chunks(reply) != "one two three ":
        await talk.hear()
    return reply


async def test_a_reply_whose_worker_is_killed_begins_again_and_says_so(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, never, hold = word(), asyncio.Event(), asyncio.Event()
    async with modelled.client() as client:
        project = await new_project(client)
        async with talking(client, project) as talk:
            with ollama.says(
                chat_of(asked), Say(PIECES, hold=never), Say(["uno ", "due ", "tre"], hold=hold)
            ):
                reply = await begun(talk, asked)
                modelled.work.kill()
                await modelled.work.ended()
                await modelled.work.start()
                again = await talk.hear("message_start")
                assert (again["messageId"], again["attempt"]) == (reply, 2)
                while talk.chunks(reply) != "uno due ":
                    await talk.hear()
                async with talking(client, project) as other:
                    await other.hear("message_chunk")
                    assert other.chunks(reply) == "uno due "
                    assert other.heard[0]["attempt"] == 2
                hold.set()
                assert await talk.told(reply) == "uno due tre"
                assert talk.heard[-1]["fullContent"] == "uno due tre"


async def test_a_reply_from_sources_whose_worker_is_killed_is_written_and_cited_once(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, never = word(), asyncio.Event()
    async with modelled.client() as client:
        papers_id, document = await papers(client)
        project = await new_project(client, collections=[papers_id], title="Plans")
        async with talking(client, project) as talk:
            half = Say(PIECES, hold=never)
            with ollama.says(chat_of(asked), half, Say(["Steel", " [1]."])):
                reply = await begun(talk, f"Which beam does the attic get, {asked}?")
                modelled.work.kill()
                await modelled.work.ended()
                await modelled.work.start()
                assert await talk.told(reply) == "Steel [1]."
            complete = talk.heard[-1]
        assert [each["sourceId"] for each in complete["citations"]] == [document]
        shown = await read(client, f"/api/projects/{project}", complete["position"])
        assert [each["content"] for each in shown["messages"]][1:] == ["Steel [1]."]
        assert [each["sourceId"] for each in shown["messages"][1]["citations"]] == [document]
        written = ["created", "message_sent", "reply_ended"]
        assert await events_of(modelled, "chat", "project", project) == written
        assert await events_of(modelled, "chat", "reply", reply) == ["written"]


async def test_a_reply_goes_on_while_the_api_is_killed_and_comes_back(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, hold = word(), asyncio.Event()
    async with modelled.client() as client:
        project = await new_project(client)
        with ollama.says(chat_of(asked), Say(PIECES, hold=hold)):
            async with talking(client, project) as talk:
                reply = await begun(talk, asked)
                modelled.serve.kill()
                await modelled.serve.ended()
            await modelled.serve.start()
            async with talking(client, project, messageId=reply, attempt=1, index=8) as back:
                rest = await back.hear()
                assert (rest["type"], rest["content"], rest["index"]) == ("message_chunk", "three ", 8)
                hold.set()
                complete = await back.hear("message_complete")
        assert complete["fullContent"] == "one two three four"
        assert [each["type"] for each in back.heard].count("message_start") == 0
        shown = await read(client, f"/api/projects/{project}", complete["position"])
        assert [each["content"] for each in shown["messages"]] == [asked, "one two three four"]


async def test_parts_that_are_asked_to_stop_hand_the_reply_on(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, never = word(), asyncio.Event()
    async with modelled.client() as client:
        project = await new_project(client)
        with ollama.says(chat_of(asked), Say(PIECES, hold=never), "done at last"):
            async with talking(client, project) as talk:
                reply = await begun(talk, asked)
                stopping = asyncio.create_task(modelled.serve.stop())
                assert await talk.farewell() == 1001
                assert talk.chunks(reply) == "one two three "
                assert (await stopping)[0] == 0
            await modelled.serve.start()
            async with talking(client, project) as talk:
                await talk.hear("message_chunk")
                assert (await modelled.work.stop())[0] == 0
                await modelled.work.start()
                assert await talk.told(reply) == "done at last"
                assert talk.heard[-1]["type"] == "message_complete"


async def test_a_reply_that_jetstream_has_forgotten_is_heard_on_and_kept_when_it_is_stopped(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, numbers = word(), [f"{n} " for n in range(1000)]
    (nats,) = modelled.nats
    async with modelled.client() as client:
        project = await new_project(client)
        with ollama.says(chat_of(asked), Say(numbers, delay=0.05)):
            async with talking(client, project) as talk:
                await talk.say("chat_message", content=asked)
                reply: str = (await talk.hear("ack"))["replyId"]
                while len(talk.chunks(reply)) < 10:
                    await talk.hear()
                nats.kill()
                await nats.start()
                before = len(talk.chunks(reply))
                while len(talk.chunks(reply)) < before + 40:
                    await talk.hear("message_chunk")
                async with talking(client, project) as late:
                    await late.hear("message_chunk")
                    assert "".join(numbers).startswith(late.chunks(reply))
                    assert len(late.chunks(reply)) >= before
                async with client.post(f"/v1/projects/{project}/stop", json={}) as stopped:
                    assert stopped.status == 204
                complete = await talk.hear("message_complete")
        told = talk.chunks(reply)
        assert (complete["stopped"], complete["fullContent"]) == (True, told)
        assert "".join(numbers).startswith(told)
        shown = await read(client, f"/api/projects/{project}", complete["position"])
        assert [each["content"] for each in shown["messages"]] == [asked, told]


async def test_a_project_takes_its_reply_with_it(modelled: Deployment, ollama: OllamaServer) -> None:
    asked, never = word(), asyncio.Event()
    async with modelled.client() as client:
        project = await new_project(client)
        closed = ollama.closed
        with ollama.says(chat_of(asked), Say(PIECES, hold=never)):
            async with talking(client, project) as talk:
                await begun(talk, asked)
                async with client.delete(f"/v1/projects/{project}") as deleted:
                    assert deleted.status == 204
                assert await talk.farewell() == 4404
            async with asyncio.timeout(20):
                while True:
                    if ollama.closed > closed:  # nobody listens to the model any more
                        break
                    await asyncio.sleep(0.05)
        await gone(client, f"/v1/projects/{project}/deletion")
    nc = await jetstream.connect(modelled.nats[0].operator_url, name="tests")
    assert await direct_all(nc, "LIVE", f"live.projects.{project}.>") == []
    await nc.close()
