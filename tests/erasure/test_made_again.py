"""Whoever repeats the request that made what has been deleted since is told so, before and after it is erased."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from events.envelope import Key
from tests.deployment import Deployment

MADE = {
    "/v1/jobs": ({"name": "Maple Street {}"}, "jobsite", "job"),
    "/v1/builders": ({"name": "Hendricks {}"}, "jobsite", "builder"),
    "/v1/action-items": ({"text": "Order drywall {}"}, "jobsite", "action_item"),
    "/v1/collections": ({"name": "plans-{}"}, "knowledge", "collection"),
    "/v1/projects": ({"title": "Boiler {}"}, "chat", "project"),
    "/v1/webhooks": ({"url": "http://127.0.0.1:9/{}"}, "notifications", "webhook"),
}


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client


async def ask(
    http: aiohttp.ClientSession, method: str, path: str, key: str, body: Any = None
) -> tuple[int, Any]:
    async with http.request(method, path, json=body, headers={"Idempotency-Key": key}) as answer:
        return answer.status, await answer.json() if await answer.read() else None


@pytest.mark.parametrize("path", MADE)
async def test_what_was_deleted_is_not_made_again_by_the_same_request(
    http: aiohttp.ClientSession, deployment: Deployment, path: str
) -> None:
    words, context, kind = MADE[path]
    body = {name: text.format(uuid4()) for name, text in words.items()}
    key, going = str(uuid4()), str(uuid4())
    status, made = await ask(http, "POST", path, key, body)
    assert status == 201, made
    place = f"{path}/{body['name'] if kind == 'collection' else made['id']}"
    aggregate = Key(context, kind, UUID(made["id"]))
    status, _ = await ask(http, "DELETE", place, going)
    assert status in {200, 202, 204}
    async with deployment.log() as log, asyncio.timeout(30):
        while True:
            status, refused = await ask(http, "POST", path, key, body)
            assert (status, refused["code"]) == (409, "DELETED_SINCE")
            if set(await log.held(aggregate)) == {"deleted"}:
                break
            await asyncio.sleep(0.1)
    status, refused = await ask(http, "POST", path, key, body)
    assert (status, refused["code"]) == (409, "DELETED_SINCE")
