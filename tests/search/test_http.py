"""Search over HTTP: one question over all contexts, explained, and fresh after every change."""

from uuid import uuid4

import aiohttp
import pytest

from app.search.views import ScopeBody
from tests.deployment import Deployment
from tests.jobsite.uploads import completed, sound


@pytest.fixture
async def http(deployment: Deployment):  # type: ignore[no-untyped-def]
    async with deployment.client() as client:
        yield client


async def search(http: aiohttp.ClientSession, **body: object) -> dict:  # type: ignore[type-arg]
    async with http.post("/v1/search", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()  # type: ignore[no-any-return]


async def test_a_search_explains_its_scores_and_is_remembered_until_something_can_be_found_anew(
    http: aiohttp.ClientSession,
) -> None:
    job = str(uuid4())
    await completed(http, sound(), jobId=job)
    asked = {"query": "order drywall", "scope": {"jobId": job}, "explain": True}
    first, again = await search(http, **asked), await search(http, **asked)
    [hit] = first["hits"]
    assert (hit["kind"], hit["sourceId"], hit["jobId"]) == ("session", hit["sessionId"], job)
    assert hit["url"] == hit["audioUrl"]
    assert hit["explain"]["nearPlace"] == hit["explain"]["saidPlace"] == 1
    assert hit["explain"]["fused"] == pytest.approx(hit["score"], abs=1e-3)
    [plan] = [each for each in first["plan"] if each["context"] == "jobsite"]
    assert (plan["method"], plan["rows"], plan["moreRows"], plan["cached"]) == ("exact", 1, False, False)
    assert [each["cached"] for each in again["plan"]] == [True] * len(again["plan"])
    await completed(http, sound(), jobId=job)
    newer = await search(http, **asked)
    assert (len(newer["hits"]), newer["plan"][0]["cached"]) == (2, False)
    assert "plan" not in first or first["plan"]
    plain = await search(http, query="order drywall", scope={"jobId": job})
    assert plain["plan"] is None


async def test_a_key_finds_only_what_its_scopes_let_it_see(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    async with http.post("/v1/keys", json={"name": "blind", "scopes": ["operations:read"]}) as answer:
        secret = (await answer.json())["secret"]
    headers = {"X-Api-Key": secret}
    async with (
        aiohttp.ClientSession(deployment.url, headers=headers) as blind,
        blind.get("/v1/search?q=drywall") as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (403, "SCOPE_REQUIRED")


async def test_a_scope_that_is_misspelt_is_refused_instead_of_finding_more(
    http: aiohttp.ClientSession,
) -> None:
    body = {"query": "boiler", "scope": {"colection": "handbooks"}}
    async with http.post("/v1/search", json=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, "INVALID_BODY")


async def test_collections_that_cannot_both_hold_are_refused(http: aiohttp.ClientSession) -> None:
    scope = {"collection": "letters", "collections": ["handbooks"]}
    for path, asked in (("/v1/search", "query"), ("/v1/chat", "question")):
        async with http.post(path, json={asked: "boiler", "scope": scope}) as answer:
            told = await answer.json()
            assert (answer.status, told["code"], told["field"]) == (422, "INVALID_BODY", "scope"), told
            assert told["detail"].startswith("`collection` is none of `collections`")


def test_a_collection_among_several_is_the_one_that_is_meant() -> None:
    assert ScopeBody(collection="letters", collections=("letters", "handbooks")).names == ("letters",)
    assert ScopeBody(collections=("letters", "handbooks", "letters")).names == ("letters", "handbooks")
    assert ScopeBody().names is None
