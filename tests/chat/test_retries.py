"""What is sent again, however late, is not done again."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from events.envelope import Intent, Key
from handlers.chat.project.decide import PROJECTS
from handlers.commands import Commands
from tests.chat.talking import Talk, chat_of, new_project, read, talking, word
from tests.deployment import Deployment
from tests.generation.ollama_server import OllamaServer, Say
from tests.jobsite.facts import MONDAY


async def keyed(http: aiohttp.ClientSession, method: str, path: str, key: str, **body: Any) -> Any:
    """The status, position and body of an answer to a request with a key."""
    async with http.request(method, path, json=body, headers={"Idempotency-Key": key}) as answer:
        text = await answer.json() if answer.content_type.endswith("json") else None
        return answer.status, answer.headers.get("Headwater-Position"), text


async def stopping(http: aiohttp.ClientSession, talk: Talk, at: str, ollama: OllamaServer) -> Any:
    """Have a reply begun and stop it over HTTP, whichever it is."""
    asked = word()
    with ollama.says(chat_of(asked), Say(["so far ", "never"], hold=asyncio.Event())):
        await talk.say("chat_message", content=asked)
        await talk.hear("message_chunk")
        stopped = await keyed(http, "POST", f"{at}/stop", "stop")
        await talk.hear("message_complete")
    return stopped


async def test_requests_that_are_sent_again_when_much_has_happened_since_change_nothing(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    first, last, mine, frame = word(), word(), word(), str(uuid4())
    async with modelled.client() as http:
        created = await keyed(http, "POST", "/v1/projects", mine, title="One")
        project = created[2]["id"]
        at = f"/v1/projects/{project}"
        async with talking(http, project) as talk:
            complete = await talk.asked(first)
            shown = await read(http, at, complete["position"])
            sent = shown["messages"][0]["id"]
            again = await keyed(http, "POST", f"{at}/regenerate", "again")
            await talk.told(again[2]["replyId"])
            edited = await keyed(http, "POST", f"{at}/messages", "edit", content="Other?", edits=sent)
            await talk.told(edited[2]["replyId"])
            await talk.say("regenerate", requestId=frame)
            framed = await talk.hear("ack")
            await talk.told(framed["replyId"])
            patch = {"title": "Two", "instructions": "Be brief.", "shown": complete["messageId"]}
            patched = await keyed(http, "PATCH", at, "patch", **patch)
            stopped = await stopping(http, talk, at, ollama)
            await keyed(http, "PATCH", at, "later", title="Three", instructions="Be long.")
        await modelled.serve.restart()  # so that nothing is known but what the log and the read model tell
        async with talking(http, project) as talk:
            hold = asyncio.Event()
            with ollama.says(chat_of(last), Say(["It ", "runs"], hold=hold)):
                await talk.say("chat_message", content=last)
                running = (await talk.hear("ack"))["replyId"]
                await talk.hear("message_chunk")
                before = await read(http, f"{at}/export?format=json")
                assert await keyed(http, "POST", "/v1/projects", mine, title="One") == created
                assert (await keyed(http, "POST", "/v1/projects", mine, title="Another"))[0] == 409
                assert await keyed(http, "POST", f"{at}/regenerate", "again") == again
                assert (
                    await keyed(http, "POST", f"{at}/messages", "edit", content="Other?", edits=sent)
                    == edited
                )
                assert (await keyed(http, "PATCH", at, "patch", **patch))[:2] == patched[:2]
                assert (await keyed(http, "POST", f"{at}/stop", "stop"))[:2] == stopped[:2]
                await talk.say("regenerate", requestId=frame)
                ack = await talk.hear("ack")
                assert (ack["replyId"], ack["position"]) == (framed["replyId"], framed["position"])
                other = await keyed(http, "POST", f"{at}/messages", "edit", content="Else?", edits=sent)
                assert (other[0], other[2]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
                hold.set()
                assert await talk.told(running) == "It runs"
        after = await read(http, at, talk.heard[-1]["position"])
        assert (after["title"], after["instructions"]) == ("Three", "Be long.")
        exported = await read(http, f"{at}/export?format=json")
        assert len(exported["messages"]) == len(before["messages"]) + 1, "the reply that was running"


async def test_what_the_read_model_has_not_heard_of_yet_is_found_in_the_log(modelled: Deployment) -> None:
    async with modelled.client() as http, modelled.log() as log:
        project = await new_project(http)
        async with talking(http, project) as talk:
            for n in range(3):
                await talk.asked(f"{word()} {n}")
        key = Key("chat", "project", UUID(project))
        history = await log.load(key)
        commands = Commands(log, [PROJECTS])
        second = next(each for each in history if each.event.name == "reply_ended")
        intent = Intent(command_id=second.command_id, actor="x", at=MONDAY, correlation_id=second.command_id)
        for behind in (0, history[0].position, second.position - 1):
            found = await commands.first(key, intent, behind=behind)
            assert found
            assert (found.position, found.events, found.repeated) == (second.position, (second.event,), True)
        assert await commands.first(key, intent, behind=second.position) is None
