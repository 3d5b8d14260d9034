"""`If-Match`: who has not seen the newest state of a thing does not change it, whoever else changes it meanwhile."""

import asyncio
from typing import Any

import aiohttp

from tests.jobsite.test_domain import added, get, refused, sent


async def etag(http: aiohttp.ClientSession, path: str, **headers: str) -> str:
    async with http.get(path, headers=headers) as answer:
        return answer.headers["ETag"]


async def an_item(http: aiohttp.ClientSession) -> tuple[str, str]:
    """The path of an action item, and its ETag."""
    item, read = await added(http, "/v1/action-items", text="Order drywall")
    path = f"/v1/action-items/{item}"
    return path, await etag(http, path, **read)


async def patched(http: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> int:
    async with http.patch(path, json=body, headers=headers) as answer:
        return answer.status


async def test_what_has_changed_since_it_was_read_is_not_changed(http: aiohttp.ClientSession) -> None:
    path, seen = await an_item(http)
    change = {"text": "Order plaster", "owner": "Ann", "done": True}
    await sent(http, "PATCH", path, change, **{"If-Match": seen})
    for method, body in (("PATCH", {"owner": "Bob"}), ("DELETE", None)):
        assert await refused(http, method, path, body, **{"If-Match": seen}) == (412, "CHANGED_SINCE")
    item = await get(http, path)
    assert (item["text"], item["owner"], item["done"]) == ("Order plaster", "Ann", True)
    await sent(http, "PATCH", path, {"owner": "Bob"}, **{"If-Match": f'"another", {await etag(http, path)}'})
    await sent(http, "PATCH", path, {"owner": "Ann"}, **{"If-Match": "*"})
    weak = {"If-Match": f"W/{await etag(http, path)}"}
    assert await refused(http, "PATCH", path, {"owner": "Bob"}, **weak) == (412, "CHANGED_SINCE")
    await sent(http, "DELETE", path, status=200, **{"If-Match": await etag(http, path)})


async def test_of_many_who_have_seen_the_same_one_changes_it(http: aiohttp.ClientSession) -> None:
    path, seen = await an_item(http)
    statuses = await asyncio.gather(
        *(
            patched(http, path, {"owner": f"Owner {n}", "text": f"Text {n}"}, **{"If-Match": seen})
            for n in range(20)
        )
    )
    assert sorted(statuses) == [200] + [412] * 19
    item = await get(http, path)
    assert item["owner"].removeprefix("Owner ") == item["text"].removeprefix("Text ")


async def test_a_change_that_is_sent_again_under_its_key_has_been_made(http: aiohttp.ClientSession) -> None:
    path, seen = await an_item(http)
    sending = {"If-Match": seen, "Idempotency-Key": path[-36:]}
    first = await sent(http, "PATCH", path, {"text": "Order plaster"}, **sending)
    assert await sent(http, "PATCH", path, {"text": "Order plaster"}, **sending) == first


async def test_where_there_is_nothing_to_match_it_is_said(http: aiohttp.ClientSession) -> None:
    path, _ = await an_item(http)
    gone = {"If-Match": '"x"'}
    assert await refused(http, "PATCH", f"{path[:-4]}0000", {"owner": "Bob"}, **gone) == (
        404,
        "ACTION_ITEM_NOT_FOUND",
    )
    assert await refused(http, "PUT", "/v1/jobs/x/subscribers/a@example.com", None, **gone) == (
        400,
        "INVALID_ID",
    )
    job, _ = await added(http, "/v1/jobs", name=f"Street {path[-12:]}")
    at = f"/v1/jobs/{job}/subscribers/a@example.com"
    assert await refused(http, "PUT", at, None, **gone) == (400, "IF_MATCH_UNSUPPORTED")
