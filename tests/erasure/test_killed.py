"""A worker that dies in the middle of erasing: another finishes, and nothing else is touched."""

import asyncio

import aiohttp

from tests.deployment import Deployment
from tests.erasure.test_sessions import gone
from tests.jobsite.uploads import completed, get, idle, sound, stored_messages


async def test_erasing_goes_on_where_a_killed_worker_left_it(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    kept = await completed(http, shared := sound())
    await idle(deployment)
    before = await stored_messages(deployment)
    taken = [await completed(http, content) for content in (shared, *(sound() for _ in range(5)))]
    for each in taken:
        async with http.delete(f"/v1/sessions/{each['sessionId']}") as answer:
            assert answer.status == 202
    for pause in (0.02, 0.1):
        await asyncio.sleep(pause)
        await deployment.work.restart()
    for each in taken:
        report = await gone(http, f"/v1/sessions/{each['sessionId']}/deletion")
        assert report["left"] == 0
    await idle(deployment)
    async with asyncio.timeout(60):
        while await stored_messages(deployment) != before:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.1)
    session = await get(http, f"/v1/sessions/{kept['sessionId']}")
    async with aiohttp.ClientSession() as player, player.get(session["audioUrl"]) as answer:
        assert (answer.status, await answer.read()) == (200, shared)
    assert session["transcript"]["text"]
