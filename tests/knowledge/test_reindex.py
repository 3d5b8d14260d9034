"""An index is built beside the one that answers, compared, promoted, reverted, dropped; searches never go without."""

import asyncio
from typing import Any

import aiohttp
import asyncpg

from tests.deployment import KEY, Deployment, Part
from tests.knowledge.asking import ask, collection, ingested, over, upload
from tests.servers import claimed_port

TEXTS = (
    b"The sealant cures in two days. Doors are hung after that.",
    b"Concrete is poured on Monday. The pump arrives at seven.",
    b"Scaffolding stays until the roof is tight.",
)


async def hits(http: aiohttp.ClientSession, name: str, query: str) -> list[dict[str, Any]]:
    body = {"query": query, "scope": {"collection": name}, "explain": True, "limit": 3}
    found: list[dict[str, Any]] = (await ask(http, "POST", "/v1/search", json=body))["hits"]
    return found


async def reindexed(http: aiohttp.ClientSession, name: str, state: str) -> dict[str, Any]:
    """Wait until re-indexing is that far."""
    async with asyncio.timeout(60):
        while True:
            told = await ask(http, "GET", f"/v1/collections/{name}/reindex")
            if told["state"] == state:
                return told
            await asyncio.sleep(0.05)


async def order(http: aiohttp.ClientSession, method: str, path: str, **body: Any) -> None:
    done = await ask(http, method, path, status=202, json=body)
    await ask(http, "GET", "/v1/collections?limit=1", headers={"Headwater-After": done["position"]})


async def test_another_embedder_answers_once_it_is_promoted_and_the_first_when_it_is_reverted(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http)
    path = f"/v1/collections/{name}/reindex"
    await ingested(http, name, *((f"{n}.txt", text) for n, text in enumerate(TEXTS)))
    usual = (await ask(http, "GET", f"/v1/collections/{name}"))["embedder"]
    [first, *_] = await hits(http, name, "when is concrete poured")
    assert first["explain"]["index"] == f"{usual}_b"
    uploaded = (await ask(http, "GET", f"/v1/documents/{first['documentId']}"))["uploadedAt"]
    await ask(http, "POST", f"{path}/promote", status=409, json={})
    other = await embedder_beside(http, usual)
    await order(http, "POST", path, embedder=other, size=40, overlap=0)
    ready = await reindexed(http, name, "ready")
    assert (ready["progress"]["documents"], ready["progress"]["indexed"]) == (3, 3)
    assert ready["comparison"]["overlapAt10"] > 0.3
    assert len(ready["comparison"]["queries"]) == 3
    assert (await hits(http, name, "when is concrete poured"))[0]["explain"]["index"] == f"{usual}_b"
    taken = await upload(http, ("late.txt", b"The inspector comes on Friday."), collection=name)
    await over(http, taken["documents"][0]["ingestionId"], taken["position"])
    assert (await reindexed(http, name, "ready"))["progress"]["documents"] == 4
    await order(http, "POST", f"{path}/promote")
    found = await hits(http, name, "inspector Friday")
    assert (found[0]["explain"]["index"], "inspector" in found[0]["text"]) == (f"{other}_a", True)
    poured = await hits(http, name, "when is concrete poured")
    told = {each["recordedAt"] for each in (first, *poured) if each["documentId"] == first["documentId"]}
    assert told == {uploaded}  # indexed anew, it is as old as it was
    assert (await ask(http, "GET", f"/v1/collections/{name}"))["chunks"] > 4
    await order(http, "POST", f"{path}/revert")
    assert (await hits(http, name, "inspector Friday"))[0]["explain"]["index"] == f"{usual}_b"
    await order(http, "DELETE", path)
    assert (await ask(http, "GET", path))["state"] == "none"


async def embedder_beside(http: aiohttp.ClientSession, usual: str) -> str:
    """Another embedder that is there, as a refusal names them."""
    told = await ask(http, "POST", "/v1/collections", status=422, json={"name": "never", "embedder": "none"})
    names = told["detail"].rpartition("there are ")[2].rstrip(".").split(", ")
    return next(each for each in names if each != usual)


async def test_the_same_embedder_with_other_chunks_is_built_beside_itself(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("long.txt", b" ".join(TEXTS)))
    path = f"/v1/collections/{name}/reindex"
    before = await ask(http, "GET", f"/v1/documents/{document['id']}/chunks")
    cut = await ways_of_cutting(http, name, document["id"])
    await order(http, "POST", path, strategy="sentences", size=50, overlap=0)
    await reindexed(http, name, "ready")
    assert await ask(http, "GET", f"/v1/documents/{document['id']}/chunks") == before
    assert await ways_of_cutting(http, name, document["id"]) == cut
    await order(http, "POST", f"{path}/promote")
    small = {"strategy": "sentences", "size": 50, "overlap": 0}
    assert await ways_of_cutting(http, name, document["id"]) == [small] * 3
    after = await ask(http, "GET", f"/v1/documents/{document['id']}/chunks")
    assert len(after["items"]) > len(before["items"])
    await order(http, "POST", f"{path}/revert")
    assert await ways_of_cutting(http, name, document["id"]) == cut


async def ways_of_cutting(http: aiohttp.ClientSession, name: str, document: str) -> list[dict[str, Any]]:
    """As the collection, its document, and the list of its documents tell them."""
    held = await ask(http, "GET", f"/v1/collections/{name}")
    alone = await ask(http, "GET", f"/v1/documents/{document}")
    [listed] = (await ask(http, "GET", f"/v1/documents?collection={name}"))["items"]
    return [each["chunking"] for each in (held, alone, listed)]


async def test_the_index_before_a_promotion_is_dropped_by_itself_once_its_grace_is_over(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    [document] = await ingested(http, name, ("long.txt", b" ".join(TEXTS)))
    path = f"/v1/collections/{name}/reindex"
    await order(http, "POST", path, strategy="sentences", size=50, overlap=0)
    before = (await reindexed(http, name, "ready"))["active"]
    await order(http, "POST", f"{path}/promote")
    kept = await ask(http, "GET", path)
    assert (kept["state"], kept["other"]["number"]) == ("promoted", before["number"])
    impatient = Part("work", {**deployment.environment, "REINDEX_GRACE": "1"}, deployment.home / "impatient")
    impatient.log.parent.mkdir()
    await impatient.start()
    try:
        await reindexed(http, name, "none")
        await ask(http, "POST", f"{path}/revert", status=409)
        await emptied(deployment, f"chunks_{before['embedder']}_b", document["id"])
        assert (await hits(http, name, "when is concrete poured"))[0]["explain"]["index"].endswith("_a")
    finally:
        await impatient.stop()


async def test_a_promotion_cannot_be_reverted_once_its_grace_is_over_though_the_index_is_still_there(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    await ingested(http, name, ("long.txt", b" ".join(TEXTS)))
    path = f"/v1/collections/{name}/reindex"
    await order(http, "POST", path, strategy="sentences", size=50, overlap=0)
    await reindexed(http, name, "ready")
    with claimed_port() as port:
        settings = {**deployment.environment, "PORT": str(port), "REINDEX_GRACE": "1"}
        impatient = Part("serve", settings, deployment.home / "hasty")
        impatient.log.parent.mkdir()
        await impatient.start()
        try:
            url, headers = f"http://127.0.0.1:{port}", {"X-Api-Key": KEY}
            async with aiohttp.ClientSession(url, headers=headers) as hasty:
                await order(hasty, "POST", f"{path}/promote")
                await reindexed(hasty, name, "none")
                late = await ask(hasty, "POST", f"{path}/revert", status=409)
        finally:
            await impatient.stop()
    assert late["code"] == "NOTHING_TO_REVERT"
    assert len((await ask(http, "GET", f"/v1/collections/{name}"))["indexes"]) == 2


async def emptied(deployment: Deployment, table: str, document: str) -> None:
    """Wait until a table has no chunk of a document."""
    connection = await asyncpg.connect(deployment.postgres.dsn)
    left = f"select exists (select from knowledge.{table} where source_id = $1)"
    try:
        async with asyncio.timeout(30):
            while await connection.fetchval(left, document):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
