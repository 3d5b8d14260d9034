"""The API describes itself, truthfully."""

import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from app.http.asyncapi import Channel, Message, asyncapi
from app.http.cursor import Page
from app.http.docs import ASSETS, descriptions
from app.http.endpoints import Endpoint
from app.http.openapi import openapi
from tests.http.site import About, Kept, Note, alive, endpoints, serving

INFO = {"title": "Headwater", "version": "1.2.3", "description": "What it is."}
CHANNELS = (
    Channel(
        "notes",
        "notes:{noteId}",
        "One note.",
        (Message("notes.note.kept", Kept, "A note was kept."), Message("notes.note.changed", Note)),
    ),
    Channel(
        "all", "notes", "All notes.", (Message("notes.note.kept", Kept, "A note was kept.", headers=About),)
    ),
    Channel("subscribe", "/v1/ws", "What clients send.", (Message("subscribe", About),), action="receive"),
)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    listing = Endpoint(
        method="GET",
        path="/v1/pages",
        handle=alive,
        scope=None,
        answer=Page[Kept],
        summary="Pages",
        tag="Notes",
    )
    return openapi([*endpoints(), listing], **INFO)


def references(document: Any) -> set[str]:
    return set(re.findall(r'"\$ref":"([^"]+)"', msgspec.json.encode(document).decode()))


def resolve(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_the_openapi_description_is_valid(described: dict[str, Any]):
    validate(described)
    assert described["openapi"] == "3.1.0"
    assert described["info"] == INFO
    assert all(resolve(described, each) for each in references(described))


def test_every_endpoint_is_described_once(described: dict[str, Any]):
    there = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert there == {(each.method, each.path) for each in endpoints()} | {("GET", "/v1/pages")}
    ids = [
        operation["operationId"] for methods in described["paths"].values() for operation in methods.values()
    ]
    assert len(set(ids)) == len(ids)


def test_an_operation_says_what_it_takes_and_gives(described: dict[str, Any]):
    keep = described["paths"]["/v1/notes"]["post"]
    body = keep["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/Note"}
    assert body["example"]["title"] == "Milk"
    assert "`notes:write`" in keep["description"]
    assert set(keep["responses"]) == {
        *("201", "400", "401", "403", "408", "409", "413", "415", "422", "429", "500", "503"),
    }
    assert "Headwater-Position" in keep["responses"]["201"]["headers"]
    found = described["paths"]["/v1/notes"]["get"]
    parameters = {each["name"]: each for each in found["parameters"] if "name" in each}
    assert parameters["maxItems"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    upload = described["paths"]["/v1/files"]["post"]["requestBody"]["content"]["multipart/form-data"][
        "schema"
    ]
    assert upload["required"] == ["file"]
    assert set(upload["properties"]) == {"file", "jobId", "title", "recordedAt"}


def test_open_endpoints_need_no_key_and_live_ones_take_it_in_the_query(described: dict[str, Any]):
    assert described["paths"]["/health"]["get"]["security"] == []
    assert {"accessToken": []} in described["paths"]["/v1/ws/chat"]["get"]["security"]
    assert {"accessToken": []} not in described["paths"]["/v1/notes"]["get"]["security"]


def test_only_schemas_that_are_referred_to_are_listed(described: dict[str, Any]):
    assert set(described["components"]["schemas"]) == {"Kept", "Note", "Problem", "Find", "Page_Kept_"}


def test_the_asyncapi_description_holds_together():
    document = asyncapi(CHANNELS, **INFO)
    assert document["asyncapi"] == "3.0.0"
    assert all(resolve(document, each) for each in references(document))
    assert set(document["components"]["messages"]) == {"notes.note.kept", "notes.note.changed", "subscribe"}
    assert document["channels"]["notes"]["parameters"] == {"noteId": {}}
    assert {each["action"] for each in document["operations"].values()} == {"send", "receive"}


async def test_the_page_and_its_documents_are_served_to_everybody(described: dict[str, Any]):
    async with serving(descriptions(described, asyncapi(CHANNELS, **INFO))) as site:
        async with site.client.get("/openapi.json") as response:
            assert await response.json() == described
            known = response.headers["ETag"]
        async with site.client.get("/openapi.json", headers={"If-None-Match": known}) as response:
            assert response.status == 304
        for path in (*ASSETS, "/asyncapi.json"):
            async with site.client.get(path) as response:
                assert response.status == 200
                assert "script-src 'self'" in response.headers["Content-Security-Policy"]
                assert response.content_type in {
                    "text/html",
                    "text/css",
                    "text/javascript",
                    "application/json",
                }


async def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline():
    async with serving(descriptions({}, {})) as site:
        texts = {}
        for path in ASSETS:
            async with site.client.get(path) as response:
                texts[path] = await response.text()
    page = texts["/docs"]
    assert not re.search(r"<script(?![^>]*src=)|<style|style=\"| on[a-z]+=\"", page)
    assert set(re.findall(r'(?:src|href)="(/[^"]+)"', page)) - texts.keys() == {
        "/openapi.json",
        "/asyncapi.json",
    }
    for text in texts.values():
        assert not re.search(r"(?:src|href|url|from|import)\W{1,3}https?://", text)
    assert "innerHTML" not in texts["/docs/docs.js"]
