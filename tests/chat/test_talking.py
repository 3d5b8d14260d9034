"""Branches, stopping, several tabs, titles and what projects can be exported as."""

import asyncio
from uuid import uuid4

import aiohttp

from tests.chat.talking import Talk, chat_of, new_project, read, talking, word
from tests.generation.ollama_server import OllamaServer, Say


async def until_shown(talk: Talk, reply: str, text: str) -> None:
    while talk.chunks(reply) != text:
        await talk.hear()


async def test_two_tabs_see_the_same_and_either_may_stop(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked, hold = word(), asyncio.Event()
    project = await new_project(client)
    async with talking(client, project) as one, talking(client, project) as other:
        with ollama.says(asked, Say(["all ", "that ", "never comes"], hold=hold)):
            await one.say("chat_message", content=asked)
            reply = (await one.hear("ack"))["replyId"]
            for tab in (one, other):
                await until_shown(tab, reply, "all that ")
            await one.say("chat_message", content="And?")
            assert (await one.hear("error"))["code"] == "BUSY"
            await other.say("stop")
            for tab in (one, other):
                ended = await tab.hear("message_complete")
                assert (ended["fullContent"], ended["stopped"]) == ("all that ", True)
            async with asyncio.timeout(60):
                while not ollama.closed:  # noqa: ASYNC110 - the model stops, too
                    await asyncio.sleep(0.02)
        [elsewhere] = [each for each in other.heard if each["type"] == "message"]
        assert elsewhere["content"] == asked
        assert "message" not in [each["type"] for each in one.heard]
        await one.say("stop")
        assert (await one.hear("error"))["code"] == "NOT_RUNNING"
        assert (await one.asked(f"after {word()}"))["fullContent"]


async def test_a_reply_is_stopped_before_anything_is_told_of_it_and_the_one_before_is_shown_again(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked, never = word(), asyncio.Event()
    project = await new_project(client)
    async with talking(client, project) as talk:
        with ollama.says(chat_of(asked), "first", Say(["second"], hold=never)):
            first = await talk.asked(asked, timestamp=1767225600000)
            await talk.say("regenerate")
            await talk.say("stop")
            again = (await talk.hear("ack"))["replyId"]
            stopped = await talk.hear("message_complete", "error")
            assert (stopped["messageId"], stopped.get("stopped")) == (again, True), stopped
            branch = await talk.hear("branch")
        assert branch["leafId"] == first["messageId"]
        shown = await read(client, f"/api/projects/{project}", branch["position"])
        assert [each["content"] for each in shown["messages"]] == [asked, "first"]


async def test_messages_form_a_tree_and_nothing_is_overwritten(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked = word()
    project = await new_project(client)
    async with talking(client, project) as talk:
        with ollama.says(chat_of(asked), "first", "second", "third"):
            first = await talk.asked(asked)
            await talk.say("regenerate")
            ack = await talk.hear("ack")
            assert await talk.told(ack["replyId"]) == "second"
            shown = await read(client, f"/api/projects/{project}", talk.heard[-1]["position"])
            assert [each["content"] for each in shown["messages"]] == [asked, "second"]
            assert shown["messages"][1]["siblings"] == [first["messageId"], ack["replyId"]]
            await talk.say("edit", messageId=shown["messages"][0]["id"], content=f"{asked} again")
            third = await talk.hear("message_complete")
        shown = await read(client, f"/api/projects/{project}", third["position"])
        assert [each["content"] for each in shown["messages"]] == [f"{asked} again", "third"]
        assert len(shown["messages"][0]["siblings"]) == 2
        await talk.say("show", messageId=first["messageId"])
        branch = await talk.hear("branch")
        assert branch["leafId"] == first["messageId"]
        shown = await read(client, f"/api/projects/{project}", branch["position"])
        assert [each["content"] for each in shown["messages"]] == [asked, "first"]
        with ollama.says("and then", "fourth"):
            await talk.asked("and then")
        [call] = [each for each in ollama.called(asked) if len(each["messages"]) == 4]
        assert [each["content"] for each in call["messages"][1:]] == [asked, "first", "and then"]
    exported = await read(client, f"/api/projects/{project}/export?format=json")
    assert [each["content"] for each in exported["messages"]] == [
        asked, "first", "second", f"{asked} again", "third", "and then", "fourth",
    ]  # fmt: skip
    async with client.get(f"/api/projects/{project}/export") as answer:
        text = await answer.text()
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert asked in text
    assert "fourth" in text
    assert "third" not in text


async def test_the_last_messages_are_shown_to_the_model(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked = word()
    project = await new_project(client, model="ollama:other")
    async with talking(client, project) as talk:
        with ollama.says(asked, "yes"):
            for n in range(11):
                complete = await talk.asked(f"{asked} {n}")
    call = ollama.called(f"{asked} 10")[-1]
    said = [each["content"] for each in call["messages"]]
    assert len(said) == 21
    assert (said[1], said[-1]) == ("yes", f"{asked} 10")
    assert call["model"] == "other"
    assert complete["model"] == "ollama:other"
    shown = await read(client, f"/api/projects/{project}?limit=3", complete["position"])
    assert len(shown["messages"]) == 3
    assert shown["messageCount"] == 22


async def test_a_project_is_named_after_its_first_message_until_somebody_names_it(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked = word()
    project = await new_project(client)

    def naming(body: dict[str, object]) -> bool:
        return "Name the conversation" in str(body["messages"]) and asked in str(body["messages"])

    async with talking(client, project) as talk:
        with ollama.says(naming, '"Walls & doors."'):
            await talk.asked(f"Tell me of {asked}")
            title = await talk.hear("title")
        assert title["title"] == "Walls & doors"
        async with client.patch(f"/api/projects/{project}", json={"title": f"Mine {asked}"}) as answer:
            assert answer.status == 204
        renamed = await talk.hear("title")
    found = await read(client, f"/api/projects?query=Mine {asked}", renamed["position"])
    assert [each["id"] for each in found["projects"]] == [project]
    found = await read(client, f"/api/projects?query={asked}")
    assert [each["id"] for each in found["projects"]] == [project]
    assert not (await read(client, f"/api/projects?query={word()}"))["projects"]


async def test_a_message_sent_twice_is_stored_once(client: aiohttp.ClientSession) -> None:
    project, own = await new_project(client), "0199c0de-0000-7000-8000-000000000001"
    async with talking(client, project) as talk:
        first = await talk.asked("once", messageId=own)
        await talk.say("chat_message", content="once", messageId=own)
        assert (await talk.hear("ack"))["messageId"] == own
    headers = {"Idempotency-Key": "message-1"}
    answers = []
    for _ in range(2):
        async with client.post(
            f"/api/projects/{project}/messages", json={"content": "twice?"}, headers=headers
        ) as answer:
            assert answer.status == 202, await answer.text()
            answers.append(await answer.json())
    assert answers[0] == answers[1]
    shown = await read(client, f"/api/projects/{project}", answers[0]["position"])
    assert [each["content"] for each in shown["messages"] if each["role"] == "user"] == ["once", "twice?"]
    assert first["fullContent"]


async def test_a_model_that_fails_says_why_and_what_came_is_kept(
    client: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    asked = word()
    project = await new_project(client)
    async with talking(client, project) as talk:
        with ollama.says(asked, Say(["half of "], fault="dropped")):
            await talk.say("chat_message", content=asked)
            failed = await talk.hear("error")
        assert failed["code"] == "AI_ERROR"
        assert talk.chunks(failed["messageId"]) == "half of "
        await talk.say("ping")
        await talk.hear("pong")
        async with client.patch(f"/api/projects/{project}", json={"model": "ollama:nope"}) as answer:
            assert answer.status == 204
        await talk.say("regenerate")
        failed = await talk.hear("error")
        assert (failed["code"], "ollama pull nope" in failed["error"]) == ("AI_MODEL_MISSING", True)
        branch = await talk.hear("branch")
    shown = await read(client, f"/api/projects/{project}", branch["position"])
    assert [each["content"] for each in shown["messages"]] == [asked, "half of "]


async def test_models_are_listed_with_the_one_that_answers(client: aiohttp.ClientSession) -> None:
    models = await read(client, "/v1/models")
    assert models["default"] == "ollama:tiny"
    assert [(each["id"], each["default"]) for each in models["items"]] == [
        ("ollama:tiny:latest", True),
        ("ollama:other:latest", False),
    ]


async def test_without_a_model_server_the_socket_says_what_to_set(deployment) -> None:  # type: ignore[no-untyped-def]
    async with deployment.client() as client:
        project = await new_project(client)
        async with talking(client, project) as talk:
            await talk.say("chat_message", content="Is anybody there? I need to know by noon today, please.")
            failed = await talk.hear("error")
            assert failed["code"] == "AI_UNAVAILABLE"
            assert "OLLAMA_URL" in failed["error"]
            title = await talk.hear("title")
            assert title["title"] == "Is anybody there? I need to know by …"
            await talk.say("ping")
            await talk.hear("pong")
            await talk.say("resume", **{"from": "JOBSITE@1"})
            assert (await talk.hear("error"))["code"] == "BAD_MESSAGE"
        shown = await read(client, f"/v1/projects/{project}", title["position"])
        assert (shown["leaf"], shown["failed"]["code"]) == (failed["messageId"], "AI_UNAVAILABLE")
        assert [each["role"] for each in shown["messages"]] == ["user"]
        async with client.get(f"/v1/ws/chat?projectId={project}&from=JOBSITE@1") as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "INVALID_POSITION")
        change = {"title": "Other", "instructions": "Be brief.", "shown": str(uuid4())}
        async with client.patch(f"/v1/projects/{project}", json=change) as answer:
            assert answer.status == 404
        shown = await read(client, f"/v1/projects/{project}", title["position"])
        assert (shown["title"], shown["instructions"]) == (title["title"], ""), (
            "what is refused changes nothing"
        )
        assert (await read(client, "/v1/models"))["default"] is None
        async with client.delete(f"/api/projects/{project}") as answer:
            assert answer.status == 204
