"""Documents from their upload to what is searched, on the real servers and processes."""

import asyncio

import aiohttp

from tests.knowledge.asking import ask, collection, fresh, ingested, over, upload

POEM = b"Fire stops must be sealed.\n\nThe sealant is grey. It cures in two days.\n"


async def test_a_text_becomes_chunks_that_know_their_place(http: aiohttp.ClientSession) -> None:
    name = await collection(http, description="What we know")
    [document] = await ingested(http, name, ("seal.txt", POEM), metadata='{"trade": "fire", "year": 2026}')
    assert (document["collection"], document["fileName"], document["status"]) == (
        name,
        "seal.txt",
        "completed",
    )
    assert document["metadata"] == {"trade": "fire", "year": 2026}
    assert [(each["stage"], each["state"], each["progress"]) for each in document["stages"]] == [
        ("parsing", "completed", 100),
        ("chunking", "completed", 100),
        ("embedding", "completed", 100),
    ]
    [chunk] = (await ask(http, "GET", f"/v1/documents/{document['id']}/chunks"))["items"]
    assert (chunk["startChar"], chunk["text"].split()[:2]) == (0, ["Fire", "stops"])
    async with http.get(f"/v1/documents/{document['id']}/original", headers={"Range": "bytes=5-9"}) as answer:
        assert (answer.status, await answer.read()) == (206, POEM[5:10])
    shown = await ask(http, "GET", f"/v1/collections/{name}")
    assert (shown["documents"], shown["byStatus"], shown["chunks"]) == (1, {"completed": 1}, 1)
    assert shown["bytes"] == len(POEM)


async def test_of_two_collections_of_one_name_made_at_once_one_is_refused(
    http: aiohttp.ClientSession,
) -> None:
    name = fresh()

    async def make() -> int:
        async with http.post("/v1/collections", json={"name": name}) as answer:
            return answer.status

    assert sorted(await asyncio.gather(make(), make())) == [201, 409]


async def test_what_does_not_exist_is_not_made_by_an_upload_and_what_does_is_named(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http, name="aa-first")
    told = await upload(http, ("a.txt", POEM), collection="no-such", status=404)
    assert told["code"] == "COLLECTION_NOT_FOUND"
    assert name in told["detail"]
    await ask(http, "GET", "/v1/collections/no-such", status=404)


async def test_the_same_bytes_are_the_same_document_until_it_is_deleted(http: aiohttp.ClientSession) -> None:
    name, other = await collection(http), await collection(http)
    [first] = await ingested(http, name, ("a.txt", POEM))
    again = await upload(http, ("b.txt", POEM), collection=name)
    assert again["documents"] == [
        {"documentId": first["id"], "ingestionId": first["ingestionId"], "fileName": "b.txt", "known": True}
    ]
    [elsewhere] = await ingested(http, other, ("a.txt", POEM))
    assert elsewhere["id"] != first["id"]
    await ask(http, "DELETE", f"/v1/documents/{first['id']}", status=202)
    [reborn] = await ingested(http, name, ("a.txt", POEM))
    assert reborn["id"] != first["id"]
    await ask(http, "GET", f"/v1/documents/{first['id']}", status=404)


async def test_a_bad_file_among_good_ones_is_refused_alone(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    taken = await upload(
        http, ("a.txt", b"One thing."), ("empty.txt", b""), ("b.txt", b"Another thing."), collection=name
    )
    assert [each["fileName"] for each in taken["documents"]] == ["a.txt", "b.txt"]
    assert [(each["fileName"], each["code"]) for each in taken["refused"]] == [
        ("empty.txt", "DOCUMENT_EMPTY")
    ]


async def test_a_file_that_was_called_by_a_wrong_name_is_sent_again_under_its_own(
    http: aiohttp.ClientSession,
) -> None:
    name, content = await collection(http), fresh("words").encode()
    taken = await upload(http, ("words.pdf", content), collection=name)
    wrong = await over(http, taken["documents"][0]["ingestionId"], taken["position"])
    assert (wrong["status"], wrong["stages"][0]["error"]["code"]) == ("failed", "DOCUMENT_MISLABELLED")
    [right] = await ingested(http, name, ("words.txt", content))
    assert (right["status"], right["id"]) == ("completed", wrong["documentId"])
    assert (right["fileName"], right["mediaType"]) == ("words.txt", "text/plain")


async def test_a_deleted_document_leaves_nothing(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    [document] = await ingested(
        http, name, ("gone.txt", b"Something that nobody else has said: " + fresh().encode())
    )
    await ask(http, "DELETE", f"/v1/documents/{document['id']}", status=202)
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/v1/documents/{document['id']}/deletion") as answer:
                report = await answer.json()
                if answer.status == 200:
                    break
            await asyncio.sleep(0.1)
    assert (report["status"], report["left"]) == ("done", 0)
    assert sum(report["erasure"]["blobs"].values()) == 4, (
        report
    )  # the file, its text, its chunks, their vectors


async def test_a_deleted_collection_takes_its_documents_with_it(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    documents = await ingested(
        http, name, *((f"{n}.txt", f"Number {n} of {name}".encode()) for n in range(3))
    )
    gone = await ask(http, "DELETE", f"/v1/collections/{name}", status=202)
    after = {"Headwater-After": gone["position"]}
    await ask(http, "GET", f"/v1/collections/{name}", status=404, headers=after)
    for each in documents:
        await ask(http, "GET", f"/v1/documents/{each['id']}", status=404)
        async with asyncio.timeout(60):
            while True:
                async with http.get(f"/v1/documents/{each['id']}/deletion") as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.1)
    made = await ask(http, "POST", "/v1/collections", status=201, json={"name": name})
    assert made["id"] != gone["id"]
