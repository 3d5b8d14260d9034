"""Projects with sources: replies are found in them, cite them, and go with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from events.envelope import Key
from tests.answers.test_slice import erased
from tests.chat.talking import chat_of, new_project, read, talking, word
from tests.deployment import Deployment
from tests.generation.ollama_server import OllamaServer, Say
from tests.jobsite.uploads import completed, sound
from tests.knowledge.asking import ask, collection, ingested

BEAM = "The attic gets a steel beam of twenty millimetres."
DOORS = "All doors are seven feet high."
PLAN = f"{BEAM}\n\n{DOORS}\n".encode()


async def papers(http: aiohttp.ClientSession) -> tuple[str, str]:
    """The ids of a new collection and of its only document, the plan."""
    name = await collection(http)
    [document] = await ingested(http, name, ("plan.txt", PLAN))
    return (await ask(http, "GET", f"/v1/collections/{name}"))["id"], document["id"]


@asynccontextmanager
async def keyed(deployment: Deployment, *scopes: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a new key that may do no more than this."""
    async with deployment.client() as owner:
        made = await ask(
            owner, "POST", "/v1/keys", status=201, json={"name": "narrow", "scopes": list(scopes)}
        )
    async with aiohttp.ClientSession(deployment.url, headers={"X-Api-Key": made["secret"]}) as client:
        async with asyncio.timeout(60):
            while True:
                async with client.get("/v1/projects") as answer:
                    if answer.status == 200:
                        break
        yield client


async def test_without_a_model_a_reply_quotes_its_sources_and_says_when_it_does_not_know(
    deployment: Deployment,
) -> None:
    async with deployment.client() as http:
        papers_id, document = await papers(http)
        project = await new_project(http, collections=[papers_id])
        async with talking(http, project) as talk:
            complete = await talk.asked("Which beam does the attic get?")
            [citation] = complete["citations"]
            assert (complete["method"], citation["sourceId"], citation["title"]) == (
                "extractive", document, "plan.txt",
            )  # fmt: skip
            assert PLAN.decode()[citation["startChar"] : citation["endChar"]] == citation["quote"]
            assert complete["fullContent"].endswith(f"[{citation['marker']}]")
            followed = await talk.asked("And how high?")
            unknown = await talk.asked("What is the capital of France?")
        assert (unknown["method"], unknown.get("citations", [])) == ("none", [])
        assert followed["method"] in ("extractive", "none")
        shown = await read(http, f"/api/projects/{project}", unknown["position"])
        reply = shown["messages"][1]
        assert (reply["method"], reply["content"]) == ("extractive", complete["fullContent"])
        [led] = reply["citations"]
        assert {**led, "url": None} == {**citation, "url": None}
        async with talking(http, project, **{"from": "CHAT@0"}) as late:
            [missed] = (await late.hear("message_complete"))["citations"]
        for url in (led["url"], citation["url"], missed["url"]):
            async with aiohttp.ClientSession() as reader, reader.get(url) as original:
                assert await original.read() == PLAN
        async with http.get(f"/api/projects/{project}/export") as answer:
            assert citation["quote"] in await answer.text()


async def test_a_model_writes_from_the_sources_and_a_question_that_follows_is_searched_with_the_one_before(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, more = word(), word()
    async with modelled.client() as http:
        papers_id, document = await papers(http)
        project = await new_project(http, collections=[papers_id], title="Plans", instructions="Be brief.")
        live = f"/v1/ws?topics=projects:{project}"
        async with talking(http, project) as talk, http.ws_connect(live) as follower:
            with ollama.says(chat_of(asked), Say(["Steel", " [1]."], delay=0.03)):
                complete = await talk.asked(f"Which beam does the attic get, {asked}?")
            while "reply_ended" not in (told := await follower.receive_str(timeout=20)):
                assert "Steel" not in told, "who follows the topic may not be allowed to read the sources"
            assert "Steel" not in told
            assert (complete["method"], complete["model"]) == ("generated", "ollama:tiny")
            assert complete["citations"][0]["quote"] in PLAN.decode()
            with ollama.says(chat_of(more), "Twenty millimetres [1]."):
                followed = await talk.asked(f"{more}, how much?")
            assert followed["fullContent"] == "Twenty millimetres [1]."
            assert followed["citations"][0]["sourceId"] == document
        [call] = [each for each in ollama.called(more) if "Name the" not in each["messages"][0]["content"]]
        said = [(each["role"], each["content"]) for each in call["messages"]]
        assert said[1:4] == [
            ("system", "Be brief."),
            ("user", f"Which beam does the attic get, {asked}?"),
            ("assistant", "Steel [1]."),
        ]
        assert BEAM in said[-1][1]
        shown = await read(http, f"/api/projects/{project}", followed["position"])
        assert shown["messages"][3]["usage"]["contextMessages"] == 3
        assert await events_of(modelled, "chat", "project", project) == [
            "created", "message_sent", "reply_ended", "message_sent", "reply_ended",
        ]  # fmt: skip


async def events_of(deployment: Deployment, context: str, aggregate: str, id: str) -> list[str]:
    """What has happened to an aggregate; of replies from sources nothing literal is among it."""
    async with deployment.log() as log:
        history = await log.load(Key(context, aggregate, UUID(id)))
    assert not [each for each in history if b"millimetres" in str(each.event).encode()]
    return [each.event.name for each in history]


async def test_replies_go_with_a_deleted_source_and_with_those_that_followed_them(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, more, last = word(), word(), word()
    async with modelled.client() as http:
        papers_id, document = await papers(http)
        project = await new_project(http, collections=[papers_id], title="Plans")
        async with talking(http, project) as talk:
            with ollama.says(chat_of(asked), "Steel [1]."):
                first = await talk.asked(f"Which beam does the attic get, {asked}?")
            async with http.patch(f"/api/projects/{project}", json={"collections": []}) as answer:
                assert answer.status == 204
                position = answer.headers["Headwater-Position"]
            with ollama.says(chat_of(more), "I said steel."):
                second = await talk.asked(more)
            async with http.get(f"/api/projects/{project}?limit=2") as answer:
                etag = answer.headers["ETag"]
            await ask(http, "DELETE", f"/v1/documents/{document}", status=202)
            told = [await talk.hear("message_complete") for _ in (first, second)]
            assert {each["messageId"] for each in told} == {first["messageId"], second["messageId"]}
            assert all(each["withdrawn"] and "teel" not in each["fullContent"] for each in told)
            proof = await erased(http, "documents", document)
            assert any("reply_sources" in each["place"] and each["left"] == 0 for each in proof["places"])
            for reply in (first, second):
                assert (await erased(http, "replies", reply["messageId"]))["left"] == 0
            async with http.get(
                f"/api/projects/{project}?limit=2", headers={"If-None-Match": etag}
            ) as answer:
                assert answer.status == 200
            shown = await read(http, f"/api/projects/{project}")
            assert [each["status"] for each in shown["messages"]] == ["completed", "withdrawn"] * 2
            assert "teel" not in str(shown)
            with ollama.says(chat_of(last), "Nothing."):
                await talk.asked(last)
            async with talking(http, project, **{"from": position}) as late:
                missed = [await late.hear("message_complete") for _ in range(3)]
                assert "teel" not in str(missed)
        [call] = [each for each in ollama.called(last) if "Name the" not in each["messages"][0]["content"]]
        assert "teel" not in str(call["messages"])


async def test_a_stopped_reply_is_kept_apart_too_and_goes_with_its_project(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    asked, never = word(), asyncio.Event()
    async with modelled.client() as http:
        papers_id, _ = await papers(http)
        project = await new_project(http, collections=[papers_id], title="Plans")
        async with talking(http, project) as talk:
            with ollama.says(chat_of(asked), Say(["Steel of ", "twenty millimetres", "…"], hold=never)):
                await talk.say("chat_message", content=f"Which beam does the attic get, {asked}?")
                reply = (await talk.hear("ack"))["replyId"]
                while talk.chunks(reply) != "Steel of twenty millimetres":
                    await talk.hear()
                await talk.say("stop")
                complete = await talk.hear("message_complete")
        assert (complete["fullContent"], complete["stopped"]) == ("Steel of twenty millimetres", True)
        assert "reply_ended" in await events_of(modelled, "chat", "project", project)
        async with http.delete(f"/v1/projects/{project}") as answer:
            assert answer.status == 204
        proof = await erased(http, "projects", project)
        assert (proof["left"], [each["what"] for each in proof["parts"]]) == (0, ["chat.reply"])
        assert (await erased(http, "replies", reply))["erasure"]["blobs"] == {"written": 1}


async def test_recordings_of_a_job_are_sources_too(deployment: Deployment) -> None:
    job = str(uuid4())
    async with deployment.client() as http:
        taken = await completed(http, sound(), jobId=job, title="Boiler room")
        papers_id, _ = await papers(http)
        project = await new_project(http, jobs=[job], collections=[papers_id])
        async with talking(http, project) as talk:
            complete = await talk.asked("How much drywall should we order?")
            [citation] = [each for each in complete["citations"] if each["kind"] == "session"]
            assert (citation["sourceId"], citation["title"]) == (taken["sessionId"], "Boiler room")
            assert citation["start"] is not None
            shown = await read(http, f"/api/projects/{project}", complete["position"])
            [led] = [each for each in shown["messages"][1]["citations"] if each["kind"] == "session"]
            assert "drywall" in led["moment"]["text"]
            assert led["url"].endswith(f"#t={led['moment']['start']:.2f}")
            doors = await talk.asked("How high are all doors?")
            assert [each["quote"] for each in doors["citations"]] == [DOORS]


async def test_sources_must_be_there_and_whoever_asks_must_be_allowed_to_read_them(
    deployment: Deployment,
) -> None:
    ghost = str(uuid4())
    async with deployment.client() as http:
        papers_id, _ = await papers(http)
        for body in ({"collections": [papers_id, ghost]}, {"jobs": [ghost]}):
            refused = await ask(http, "POST", "/v1/projects", status=404, json=body)
            assert ghost in refused["detail"]
            assert "there is " in refused["detail"]
        name = (await ask(http, "GET", f"/v1/collections/{papers_id}"))["name"]
        plain, sourced = await new_project(http), await new_project(http, collections=[name, papers_id])
        for body in ({"model": "tiny"}, {"instructions": "Be brief."}):
            async with http.patch(f"/v1/projects/{sourced}", json=body) as answer:
                assert answer.status == 204
                position = answer.headers["Headwater-Position"]
        shown = await read(http, f"/v1/projects/{sourced}", position)
        assert (shown["model"], shown["instructions"], shown["collections"]) == (
            "tiny", "Be brief.", [papers_id],
        ), "one after the other, and neither undoes the other"  # fmt: skip
        refused = await ask(http, "PATCH", f"/v1/projects/{plain}", status=404, json={"collections": [ghost]})
        assert refused["code"] == "COLLECTION_NOT_FOUND"
        assert papers_id in refused["detail"]
        async with keyed(deployment, "chat:*") as narrow:
            await refused_of(narrow, "POST", "/v1/projects", {"collections": [papers_id]})
            await refused_of(narrow, "PATCH", f"/v1/projects/{plain}", {"collections": [papers_id]})
            for path in ("", "/export"):
                await refused_of(narrow, "GET", f"/v1/projects/{sourced}{path}", None)
            await refused_of(narrow, "POST", f"/v1/projects/{sourced}/messages", {"content": "Beam?"})
            listed = [each["id"] for each in (await read(narrow, "/v1/projects"))["projects"]]
            assert (plain in listed, sourced in listed) == (True, False)
            question = {"question": "Which beam does the attic get?", "scope": {"collection": name}}
            answer = await ask(http, "POST", "/v1/chat", json=question)
            async with narrow.ws_connect("/v1/ws") as follower:
                for topic in (f"projects:{sourced}", f"answers:{answer['id']}"):
                    await refused_of(narrow, "GET", f"/v1/events?topics={topic}", None)
                    await follower.send_json({"action": "subscribe", "topic": topic})
                    assert (await follower.receive_json(timeout=20))["code"] == "SCOPE_REQUIRED"
            for name in ("projects", "answers"):  # ids follow from who asks and his key: they can be guessed
                guessed = await ask(narrow, "GET", f"/v1/events?topics={name}:{uuid4()}", status=403)
                assert guessed["code"] == "SCOPE_REQUIRED"
            async with talking(narrow, plain) as talk:
                async with http.patch(f"/v1/projects/{plain}", json={"collections": [papers_id]}) as answer:
                    assert answer.status == 204
                assert await talk.farewell() == 1008, "it would hear what others have said from the sources"


async def refused_of(http: aiohttp.ClientSession, method: str, path: str, body: Any) -> None:
    refused = await ask(http, method, path, status=403, json=body)
    assert (refused["code"], "knowledge:read" in refused["detail"]) == ("SCOPE_REQUIRED", True)
