"""Questions over HTTP: answered with citations that lead to what was said and written, saved, and gone with it."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.deployment import Deployment
from tests.generation.ollama_server import OllamaServer, Say
from tests.jobsite.uploads import completed, get, sound
from tests.knowledge.asking import ask, collection, ingested

PLAN = b"The boiler room gets a copper pipe of twenty millimetres.\n\nAll windows are four feet wide.\n"


async def question(http: aiohttp.ClientSession, text: str, **more: Any) -> dict[str, Any]:
    return await ask(http, "POST", "/v1/chat", json={"question": text, **more})


async def gone(http: aiohttp.ClientSession, answer: str) -> None:
    """Wait until an answer is not there any more."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/v1/chats/{answer}") as told:
                if told.status == 404:
                    return
            await asyncio.sleep(0.1)


async def answered(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    """Wait until a question is answered."""
    async with asyncio.timeout(60):
        while True:
            told = await get(http, path)
            if told["status"] != "processing":
                return told
            await asyncio.sleep(0.2)


async def erased(http: aiohttp.ClientSession, what: str, id: str) -> dict[str, Any]:
    """Wait until a deletion is proved."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/v1/{what}/{id}/deletion") as told:
                proof: dict[str, Any] = await told.json()
                if told.status == 200:
                    return proof
                assert told.status == 202, proof
            await asyncio.sleep(0.1)


async def test_an_answer_cites_the_moment_is_saved_and_goes_with_its_source(
    http: aiohttp.ClientSession,
) -> None:
    job = str(uuid4())
    taken = await completed(http, sound(), jobId=job, title="Boiler room")
    told = await question(http, "How much drywall should we order?", scope={"jobId": job})
    assert (told["method"], told["supported"], told["status"]) == ("extractive", True, "completed")
    [citation] = told["citations"]
    assert (citation["sessionId"], citation["title"], citation["jobId"]) == (
        taken["sessionId"],
        "Boiler room",
        job,
    )
    transcript = (await get(http, f"/v1/sessions/{taken['sessionId']}"))["transcript"]["text"]
    assert transcript[citation["startChar"] : citation["endChar"]] == citation["quote"]
    assert "drywall" in citation["moment"]["text"]
    assert citation["url"].endswith(f"#t={citation['moment']['start']:.2f}")
    async with aiohttp.ClientSession() as player, player.get(citation["url"]) as audio:
        assert audio.status == 200
    read = await ask(http, "GET", f"/v1/chats/{told['id']}", headers={"Headwater-After": told["position"]})
    assert {**read, "citations": ()} == {**told, "citations": ()}
    assert read["citations"][0]["quote"] == citation["quote"]
    context = read["context"]
    assert (context["query"], context["scope"], context["contexts"]) == (
        "How much drywall should we order?", {"jobId": job}, ["jobsite"],
    )  # fmt: skip
    assert [(each["sourceId"], each["n"], each["cited"]) for each in context["references"]] == [
        (taken["sessionId"], 0, True)
    ]
    assert context["positions"]["JOBSITE"] >= int(taken["position"].partition("@")[2])
    assert told["id"] in {each["id"] for each in (await get(http, "/v1/chats?mine=true"))["items"]}
    await ask(http, "DELETE", f"/v1/sessions/{taken['sessionId']}", status=202)
    await gone(http, told["id"])
    proof = await erased(http, "chats", told["id"])
    assert (proof["left"], proof["erasure"]["blobs"]) == (0, {"answered": 1})
    proof = await erased(http, "sessions", taken["sessionId"])
    assert any("answer_passages" in each["place"] and each["left"] == 0 for each in proof["places"])


async def test_recordings_and_documents_are_answered_from_together_and_each_on_its_own(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("plan.txt", PLAN))
    told = await question(http, "Which pipe does the boiler room get?", scope={"collection": name})
    [citation] = told["citations"]
    assert (citation["documentId"], citation["collection"], citation["moment"]) == (
        document["id"],
        name,
        None,
    )
    assert PLAN.decode()[citation["startChar"] : citation["endChar"]] == citation["quote"]
    everywhere = await question(http, "Which copper pipe does the boiler room get, twenty millimetres?")
    assert document["id"] in {each["sourceId"] for each in everywhere["citations"]}
    async with http.post("/v1/keys", json={"name": "site", "scopes": ["chat:*", "jobsite:read"]}) as answer:
        secret = (await answer.json())["secret"]
    async with aiohttp.ClientSession(deployment.url, headers={"X-Api-Key": secret}) as site:
        blind = await question(site, "Which copper pipe does the boiler room get, twenty millimetres?")
        assert document["id"] not in {each["sourceId"] for each in blind["citations"]}
        await ask(site, "GET", f"/v1/chats/{told['id']}", status=403)
        refused = await ask(
            site, "POST", "/v1/chat", status=403, json={"question": "x?", "scope": {"collection": name}}
        )
        assert refused["code"] == "SCOPE_REQUIRED"
    await ask(http, "DELETE", f"/v1/documents/{document['id']}", status=202)
    await gone(http, told["id"])
    await gone(http, everywhere["id"])


async def test_what_nothing_answers_is_not_known_and_what_cannot_be_asked_is_refused(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http)
    told = await question(http, "What is the capital of France?", scope={"collection": name})
    assert (told["method"], told["citations"], told["context"]["references"]) == ("none", [], [])
    refused = await ask(
        http, "POST", "/v1/chat", status=404, json={"question": "x?", "scope": {"collection": "ghosts"}}
    )
    there = (await ask(http, "GET", "/v1/collections"))["items"]
    assert refused["code"] == "COLLECTION_NOT_FOUND"
    assert any(each["name"] in refused["detail"] for each in there)  # of many, it names some
    ghosts = {"collections": [name, "ghosts", "spooks"]}
    refused = await ask(http, "POST", "/v1/chat", status=404, json={"question": "x?", "scope": ghosts})
    assert ("'ghosts' or 'spooks'" in refused["detail"], refused["field"]) == (True, "scope.collections")
    refused = await ask(http, "GET", "/v1/search?q=x&collection=ghosts", status=404)
    assert refused["field"] == "collection"
    await ask(http, "POST", "/v1/chat", status=422, json={"question": " \n "})
    await ask(http, "GET", f"/v1/chats/{uuid4()}", status=404)
    await ask(http, "DELETE", f"/v1/chats/{uuid4()}", status=404)
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"question": "What is the capital of France?", "scope": {"collection": name}}
    first = await ask(http, "POST", "/v1/chat", json=body, headers=headers)
    again = await ask(http, "POST", "/v1/chat", json=body, headers=headers)
    assert first == again
    streaming = {**headers, "Accept": "text/event-stream"}
    async with http.post("/v1/chat", json=body, headers=streaming) as stream:
        assert (stream.content_type, await stream.content.readline()) == (
            "text/event-stream",
            b"event: complete\n",
        )


@pytest.fixture
async def written(modelled: Deployment):  # type: ignore[no-untyped-def]
    async with modelled.client() as client:
        yield client


async def test_an_answer_that_a_model_writes_streams_and_is_told_live(
    written: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    name = await collection(written)
    await ingested(written, name, ("plan.txt", PLAN))
    asked = "Which pipe does the boiler room get, please?"
    pieces = Say(pieces=("A copper pipe", " of twenty millimetres [1].", " Trust me [7]."))
    body = {"question": asked, "scope": {"collection": name}}
    events = []
    with ollama.says(asked, pieces):
        async with written.post("/v1/chat", json=body, headers={"Accept": "text/event-stream"}) as stream:
            assert stream.content_type == "text/event-stream"
            location = stream.headers["Location"]
            for block in (await stream.text()).strip().split("\n\n"):
                event, data = block.split("\n")
                events.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    kinds = [kind for kind, _ in events]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("sources", "complete", {"chunk"})
    assert "".join(data["text"] for kind, data in events if kind == "chunk").endswith("Trust me [7].")
    complete = events[-1][1]
    assert location == f"/v1/chats/{complete['id']}"
    assert complete["answer"] == "A copper pipe of twenty millimetres [1]. Trust me."
    assert complete["citations"][0]["quote"] == "The boiler room gets a copper pipe of twenty millimetres."
    assert (complete["method"], complete["context"]["model"]) == ("generated", "tiny")
    assert complete["context"]["digest"].startswith("sha256:")
    assert complete["context"]["promptHash"]


async def test_a_question_whose_process_died_is_answered_all_the_same(
    modelled: Deployment, written: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    name = await collection(written)
    await ingested(written, name, ("plan.txt", PLAN))
    asked = "How wide are all windows meant to be?"
    hold = asyncio.Event()
    with ollama.says(asked, Say(pieces=("Four feet", " wide [1]."), hold=hold), "Four feet wide [1]."):
        body = {"question": asked, "scope": {"collection": name}}
        stream = await written.post("/v1/chat", json=body, headers={"Accept": "text/event-stream"})
        location = stream.headers["Location"]
        await stream.content.readuntil(b"event: chunk")
        await modelled.serve.restart()
        told = await answered(written, location)
        hold.set()
    assert (told["status"], told["answer"]) == ("completed", "Four feet wide [1].")
    assert told["citations"][0]["quote"] == "All windows are four feet wide."


async def test_a_question_may_follow_another_one_and_goes_with_it(
    http: aiohttp.ClientSession, written: aiohttp.ClientSession, ollama: OllamaServer
) -> None:
    name = await collection(written)
    await ingested(written, name, ("plan.txt", PLAN))
    first = await question(written, "Which pipe does the boiler room get?", scope={"collection": name})
    with ollama.says("of what size", Say(pieces=("Twenty millimetres [1].",))):
        then = await question(written, "And of what size?", chatId=first["id"])
    assert (then["answer"], then["follows"]) == ("Twenty millimetres [1].", first["id"])
    assert then["context"]["scope"] == {"collections": [name]}
    assert then["citations"][0]["quote"] in PLAN.decode()
    [call] = ollama.called("of what size")
    said = [(each["role"], each["content"]) for each in call["messages"]]
    assert said[1:3] == [("user", first["question"]), ("assistant", first["answer"])]
    await ask(written, "POST", "/v1/chat", status=404, json={"question": "x?", "chatId": str(uuid4())})
    async with written.delete(f"/v1/chats/{first['id']}") as answer:
        assert answer.status == 204
    await gone(written, then["id"])
    plain = await collection(http)
    await ingested(http, plain, ("notes.txt", b"The garage gets a green door made of larch wood."))
    first = await question(http, "What does the garage get, which door?", scope={"collection": plain})
    then = await question(http, "And what is it made of?", chatId=first["id"])
    assert (then["method"], "larch" in then["answer"]) == ("extractive", True)
