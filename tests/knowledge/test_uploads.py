"""Many files in one request, and documents that are deleted while they are still ingested."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from tests.deployment import Deployment
from tests.documents.files import docx, pdf
from tests.knowledge.asking import ask, collection, form, fresh, over, upload


async def test_one_file_may_come_before_its_fields(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("file", fresh().encode(), filename="a.txt")
    data.add_field("collection", name)
    taken = await ask(http, "POST", "/v1/documents", status=202, data=data)
    assert [each["fileName"] for each in taken["documents"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("content", "called"), [(pdf, "document.pdf"), (docx, "document"), (fresh, "document.txt")]
)
async def test_a_file_without_a_name_is_called_by_its_kind_and_read(
    http: aiohttp.ClientSession, content: Callable[[], bytes | str], called: str
) -> None:
    name, made = await collection(http), content()
    taken = await upload(http, ("", made.encode() if isinstance(made, str) else made), collection=name)
    [document] = taken["documents"]
    assert document["fileName"] == called
    assert (await over(http, document["ingestionId"], taken["position"]))["status"] == "completed"


async def test_a_missing_member_is_named(http: aiohttp.ClientSession) -> None:
    for path, asked, status in (
        ("/v1/documents", {"data": form(("a.txt", b"a"))}, 400),
        ("/v1/documents/known", {"json": {"sha256": ["0" * 64]}}, 422),
    ):
        told = await ask(http, "POST", path, status=status, **asked)
        assert (told["detail"], told["field"]) == ("`collection` is missing.", "collection")
    told = await ask(http, "GET", "/v1/search", status=400)
    assert (told["detail"], told["field"]) == ("`q` is missing.", "q")


async def test_what_was_accepted_before_a_mistake_stays_and_is_named(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    data = form(("a.txt", fresh().encode()), ("b.txt", fresh().encode()), collection=name)
    data.add_field("size", "300")
    taken = await ask(http, "POST", "/v1/documents", status=202, data=data)
    assert [each["fileName"] for each in taken["documents"]] == ["a.txt"]
    assert [each["code"] for each in taken["refused"]] == ["FIELD_TOO_LATE"]
    listed = await ask(
        http, "GET", f"/v1/documents?collection={name}", headers={"Headwater-After": taken["position"]}
    )
    assert [each["fileName"] for each in listed["items"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"metadata": "[1]"}, 422, "INVALID_METADATA"),
        ({"metadata": '{"a": {"b": 1}}'}, 422, "INVALID_METADATA"),
        ({"metadata": '{"a": "b\\u0000"}'}, 422, "INVALID_METADATA"),
        ({"metadata": '{"a\\u0000": 1}'}, 422, "INVALID_METADATA"),
        ({"strategy": "guess"}, 422, "INVALID_CHUNKING"),
        ({"size": "1"}, 422, "INVALID_CHUNKING"),
        ({"colour": "red"}, 400, "UNKNOWN_FIELD"),
    ],
)
async def test_bad_fields_refuse_the_request_and_leave_nothing(
    http: aiohttp.ClientSession, fields: dict[str, str], status: int, code: str
) -> None:
    name = await collection(http)
    told = await upload(http, ("a.txt", fresh().encode()), status=status, collection=name, **fields)
    assert told["code"] == code
    assert (await ask(http, "GET", f"/v1/collections/{name}"))["documents"] == 0


async def test_a_repeated_request_makes_nothing_twice_even_after_a_deletion(
    http: aiohttp.ClientSession,
) -> None:
    name, content, key = await collection(http), fresh().encode(), {"Idempotency-Key": fresh("key")}
    first = await upload(http, ("a.txt", content), collection=name, headers=key)
    again = await upload(http, ("a.txt", content), collection=name, headers=key)
    assert again["documents"] == first["documents"]
    await ask(http, "DELETE", f"/v1/documents/{first['documents'][0]['documentId']}", status=202)
    late = await upload(http, ("a.txt", content), status=409, collection=name, headers=key)
    assert late["code"] == "DELETED_SINCE"
    async with asyncio.timeout(60):
        while True:  # while the same content is being erased, it is to be sent again
            data = form(("a.txt", content), collection=name)
            async with http.post("/v1/documents", data=data) as answer:
                assert answer.status in {202, 503}, await answer.text()
                if answer.status == 202:
                    [new] = (await answer.json())["documents"]
                    break
            await asyncio.sleep(0.2)
    assert new["documentId"] != first["documents"][0]["documentId"]


async def test_a_repeated_deletion_of_many_answers_as_the_first_did(http: aiohttp.ClientSession) -> None:
    name, key = await collection(http), {"Idempotency-Key": fresh("key")}
    taken = await upload(http, ("a.txt", fresh().encode()), ("b.txt", fresh().encode()), collection=name)
    ids = [each["documentId"] for each in taken["documents"]]
    asked = {"ids": [*ids, taken["documents"][0]["ingestionId"]]}
    path = "/v1/documents/delete"
    first = await ask(http, "POST", path, status=202, json=asked, headers=key)
    assert (first["deleted"], first["unknown"]) == (ids, asked["ids"][2:])
    assert await ask(http, "POST", path, status=202, json=asked, headers=key) == first
    told = await ask(http, "POST", path, status=409, json={"ids": ids[:1]}, headers=key)
    assert told["code"] == "IDEMPOTENCY_KEY_REUSED"
    late = await ask(http, "POST", path, status=202, json=asked)
    assert (late["deleted"], late["unknown"]) == ([], asked["ids"])


async def test_documents_deleted_while_they_are_ingested_leave_nothing(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = await collection(http)
    files = [(f"{n}.txt", f"{fresh()} {n} ".encode() * 400) for n in range(6)]
    taken = await upload(http, *files, collection=name)
    ids = [each["documentId"] for each in taken["documents"]]
    first = taken["documents"][0]["ingestionId"]
    await over(http, first, taken["position"], until={"processing", "completed"})
    await ask(http, "POST", "/v1/documents/delete", status=202, json={"ids": ids})
    for id in ids:
        async with asyncio.timeout(60):
            while True:
                async with http.get(f"/v1/documents/{id}/deletion") as answer:
                    report = await answer.json()
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.1)
        assert (report["status"], report["left"]) == ("done", 0)
    compared = await deployment.cli("rebuild", "knowledge", "--dry-run")
    assert (compared.status, "DIFFERS" in compared.out) == (0, False), compared
