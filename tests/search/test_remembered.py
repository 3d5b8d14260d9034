"""What was found is remembered in each API process, and in none of them longer than until an event changes it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from infra.embedded.ports import free_ports
from tests.deployment import KEY, Deployment, Part
from tests.jobsite.uploads import completed, sound
from tests.knowledge.asking import ask, collection, fresh, ingested

QUESTION = "when is the concrete poured"
TEXT = b"The concrete of the cellar is poured on Monday."
MORE = b"The concrete of the roof is poured on Friday."


@pytest.fixture(scope="module")
async def second(deployment: Deployment) -> AsyncIterator[str]:
    """The URL of another API process of the same Headwater."""
    folder = deployment.home / "second"
    folder.mkdir()
    port = str(free_ports(1)[0])
    part = Part("serve", {**deployment.environment, "PORT": port}, folder)
    await part.start()
    yield f"http://127.0.0.1:{port}"
    await part.stop()


@pytest.fixture
async def both(deployment: Deployment, second: str) -> AsyncIterator[list[aiohttp.ClientSession]]:
    headers = {"X-Api-Key": KEY}
    async with deployment.client() as one, aiohttp.ClientSession(second, headers=headers) as other:
        yield [one, other]


async def found(
    processes: list[aiohttp.ClientSession], query: str, scope: dict[str, Any], after: str = ""
) -> list[str]:
    """The texts that all processes find after a position, and are then seen to remember."""
    body = {"query": query, "scope": scope, "explain": True}
    headers = {"Headwater-After": after} if after else {}
    told = [await ask(http, "POST", "/v1/search", json=body, headers=headers) for http in processes]
    assert not any(plan["cached"] for each in told for plan in each["plan"])
    async with asyncio.timeout(10):  # what else goes on may still make them forget
        while not all(plan["cached"] for each in told[-len(processes) :] for plan in each["plan"]):
            told += [await ask(http, "POST", "/v1/search", json=body) for http in processes]
    texts = [sorted(hit["text"] for hit in each["hits"]) for each in told]
    assert texts == [texts[0]] * len(texts)
    return texts[0]


async def until(
    processes: list[aiohttp.ClientSession], query: str, scope: dict[str, Any], expected: list[str]
) -> None:
    """Wait until all processes find what is expected: the events that lead to it are still to come."""
    async with asyncio.timeout(20):
        for http in processes:
            found = None
            while found != expected:
                answer = await ask(http, "POST", "/v1/search", json={"query": query, "scope": scope})
                found = [hit["text"] for hit in answer["hits"]]


async def added(http: aiohttp.ClientSession, name: str, content: bytes) -> str:
    """A document of a collection, ingested to its end."""
    [document] = await ingested(http, name, ("note.txt", content))
    return str(document["id"])


async def test_no_process_remembers_what_an_event_has_changed_since(
    both: list[aiohttp.ClientSession],
) -> None:
    one, other = both
    first, second = await collection(one), await collection(one)
    everywhere, second_phase = (
        {"collections": [first, second]},
        {"collection": first, "metadata": {"phase": 2}},
    )
    assert await found(both, QUESTION, everywhere) == []
    assert await found(both, QUESTION, second_phase) == []
    document = await added(one, first, TEXT)
    assert await found(both, QUESTION, everywhere) == [TEXT.decode()]
    more = await added(other, second, MORE)
    assert await found(both, QUESTION, everywhere) == [TEXT.decode(), MORE.decode()]
    assert await found(both, QUESTION, second_phase) == []
    changed = await ask(other, "PATCH", f"/v1/documents/{document}", json={"metadata": {"phase": 2}})
    assert await found(both, QUESTION, second_phase, changed["position"]) == [TEXT.decode()]
    deleted = await ask(one, "DELETE", f"/v1/documents/{more}", status=202)
    assert await found(both, QUESTION, everywhere, deleted["position"]) == [TEXT.decode()]


async def test_a_recording_that_moves_to_another_job_is_found_there_and_no_longer_here(
    both: list[aiohttp.ClientSession],
) -> None:
    one, other = both
    here, there = [
        str((await ask(one, "POST", "/v1/jobs", status=201, json={"name": fresh("job")}))["id"]) for _ in "ab"
    ]
    session = (await completed(one, sound(), jobId=here))["sessionId"]
    [text] = await found(both, "drywall", {"jobId": here})
    assert await found(both, "drywall", {"jobId": there}) == []
    await ask(other, "PATCH", f"/v1/sessions/{session}", json={"jobId": there})
    await until(both, "drywall", {"jobId": there}, [text])
    await until(both, "drywall", {"jobId": here}, [])
