"""Ingestions as they are followed, stopped, done again, and outlive the workers that do them."""

import asyncio

import aiohttp

from tests.deployment import Deployment
from tests.documents.files import pdf
from tests.knowledge.asking import ask, collection, fresh, ingested, over, upload


def text(words: int = 40) -> bytes:
    """Something that nobody has said before."""
    return f"{fresh('text')} ".encode() * words


async def test_each_stage_is_told_live(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    async with http.ws_connect("/v1/ws?topics=ingestions") as ws:
        assert (await ws.receive_json())["type"] == "subscribed"
        taken = await upload(http, ("a.txt", text()), collection=name)
        [document] = taken["documents"]
        told, heard = [], set()
        async with asyncio.timeout(60):
            while not told or told[-1] != "embedded":
                message = await ws.receive_json()
                if message["type"] == "signal" and message["id"] == document["documentId"]:
                    heard.add(message["signal"])
                if message.get("data", {}).get("documentId") == document["documentId"]:
                    told.append(message["event"].rpartition(".")[2])
    assert told == ["uploaded", "parsed", "chunked", "embedded"]
    assert "progress.embed_document" in heard
    topic = f"documents:{document['documentId']}"
    position = int(taken["position"].partition("@")[2])
    async with http.ws_connect(f"/v1/ws?topics={topic}&from=KNOWLEDGE@{position - 1}") as ws:
        missed = []
        async with asyncio.timeout(60):
            while len(missed) < 4:
                message = await ws.receive_json()
                if message["type"] == "event":
                    missed.append(message["event"].rpartition(".")[2])
    assert missed == told


async def test_an_ingestion_is_there_for_who_asks_at_once(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    for _ in range(5):
        taken = await upload(http, ("a.txt", text()), collection=name)
        [document] = taken["documents"]
        told = await ask(http, "GET", f"/v1/ingestions/{document['ingestionId']}")
        assert told["documentId"] == document["documentId"]


async def test_what_is_stopped_stays_so_until_it_is_retried(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    deployment.work.kill()
    await deployment.work.ended()
    try:
        taken = await upload(http, ("a.txt", text()), collection=name)
        ingestion = taken["documents"][0]["ingestionId"]
        after = {"Headwater-After": taken["position"]}
        stopped = await ask(http, "POST", f"/v1/ingestions/{ingestion}/cancel", status=202, headers=after)
        told = await over(http, ingestion, stopped["position"])
        assert (told["status"], told["stages"][0]["state"]) == ("cancelled", "cancelled")
    finally:
        await deployment.work.start()
    other = await ingested(http, name, ("b.txt", text()))
    assert (await over(http, ingestion, stopped["position"]))["status"] == "cancelled"
    again = await ask(http, "POST", f"/v1/ingestions/{ingestion}/retry", status=202)
    assert (await over(http, ingestion, again["position"]))["status"] == "completed"
    assert other[0]["status"] == "completed"


async def test_a_worker_killed_at_work_costs_nothing_but_time(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    taken = await upload(http, *((f"{n}.txt", text()) for n in range(12)), collection=name)
    first = taken["documents"][0]
    await over(http, first["ingestionId"], taken["position"], until={"processing", "completed"})
    await deployment.work.restart()
    for each in taken["documents"]:
        told = await over(http, each["ingestionId"], taken["position"])
        assert told["status"] == "completed", told
    shown = await ask(http, "GET", f"/v1/collections/{name}")
    assert (shown["byStatus"], shown["documents"]) == ({"completed": 12}, 12)


async def test_a_document_is_ingested_again_cut_otherwise_and_answers_meanwhile(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("a.txt", text()))
    path = f"/v1/documents/{document['id']}"
    again = await ask(http, "POST", f"{path}/reingest", status=202, json={"size": 60, "overlap": 0})
    assert (await over(http, again["id"], again["position"]))["status"] == "completed"
    after = await ask(http, "GET", path)
    assert (after["chunking"]["size"], after["ingestionId"]) == (60, again["id"])
    assert after["chunks"] > document["chunks"]
    runs = await ask(http, "GET", f"/v1/ingestions?documentId={document['id']}")
    assert [each["id"] for each in runs["items"]] == [again["id"], document["ingestionId"]]


async def test_metadata_change_what_a_search_finds(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("a.txt", b"Gutters are cleaned."), metadata='{"state": "draft"}')
    body = {"query": "gutters", "scope": {"collection": name, "metadata": {"state": "final"}}}
    assert (await ask(http, "POST", "/v1/search", json=body))["hits"] == []
    changed = await ask(
        http, "PATCH", f"/v1/documents/{document['id']}", json={"metadata": {"state": "final"}}
    )
    after = {"Headwater-After": changed["position"]}
    [hit] = (await ask(http, "POST", "/v1/search", json=body, headers=after))["hits"]
    assert hit["documentId"] == document["id"]


async def test_many_documents_are_deleted_at_once(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    documents = await ingested(http, name, *((f"{n}.txt", text()) for n in range(3)))
    ids = [each["id"] for each in documents]
    unknown = "00000000-0000-7000-8000-000000000000"
    gone = await ask(http, "POST", "/v1/documents/delete", status=202, json={"ids": [*ids[:2], unknown]})
    assert (gone["deleted"], gone["unknown"]) == (ids[:2], [unknown])
    after = {"Headwater-After": gone["position"]}
    left = await ask(http, "GET", f"/v1/documents?collection={name}", headers=after)
    assert [each["id"] for each in left["items"]] == ids[2:]


async def test_a_page_without_text_is_told_where_the_others_are_found(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("plan.pdf", pdf("Four valves.", "")))
    assert (document["status"], document["pages"], document["pagesWithoutText"]) == ("completed", 2, 1)
    told = await ask(http, "GET", f"/v1/ingestions/{document['ingestionId']}")
    for stages in (document["stages"], told["stages"]):
        assert stages[0]["message"] == "Done. 1 of 2 pages has no text."
        assert stages[1]["message"] == "Done."
