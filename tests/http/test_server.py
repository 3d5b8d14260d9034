"""Listening, stopping, and what is said when listening fails."""

import asyncio
import socket

import pytest
from aiohttp import ClientSession, web
from aiohttp.typedefs import Handler

from app.http.auth import Principal
from app.http.endpoints import Call, Endpoint, Reply
from app.http.routing import Desk
from app.http.server import CannotListen, Listening, application, listen
from app.http.tracking import REQUEST_ID
from tests.http.site import endpoints, serving


def nobody(secret: str) -> Principal | None:
    return None


def plain() -> web.Application:
    return application(endpoints=endpoints(), desk=Desk(identify=nobody))


async def test_a_port_in_use_is_named_with_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            CannotListen, match=f"Port {port} on 127.0.0.1 is in use.*PORT={port + 1} make run"
        ):
            await listen(plain(), host="127.0.0.1", port=port)


async def test_a_host_that_is_not_ours_is_named():
    with pytest.raises(CannotListen, match=r"Cannot listen on 192\.0\.2\.1.*HOST"):
        await listen(plain(), host="192.0.2.1", port=0)


async def test_stopping_calls_the_hooks_and_finishes_what_is_under_way():
    begun, released = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def hold(call: Call[None, None]) -> Reply:
        begun.set()
        await released.wait()
        order.append("answer")
        return Reply(body={})

    async def hook() -> None:
        order.append("hook")
        released.set()

    endpoint = Endpoint(method="GET", path="/v1/hold", handle=hold, scope=None, summary="Hold", tag="Tests")
    app = application(endpoints=[endpoint], desk=Desk(identify=nobody), on_shutdown=[hook])
    server = await listen(app, host="127.0.0.1", port=0)

    async def ask(client: ClientSession) -> int:
        async with client.get(f"{server.url}/v1/hold") as response:
            return response.status

    async with ClientSession() as client:
        asked = asyncio.create_task(ask(client))
        await begun.wait()
        await server.stop()
        assert await asked == 200
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)
    assert order == ["hook", "answer"]


async def test_middlewares_around_see_the_request_id_and_the_final_status():
    seen: list[tuple[str, int]] = []

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        seen.append((request[REQUEST_ID], response.status))
        return response

    async with serving(around=[around]) as site:
        await site.client.get("/v1/fail/bug", headers={"X-Request-Id": "r1"})
    assert seen == [("r1", 500)]


async def test_many_requests_on_one_connection_do_not_mix_their_ids():
    async with serving() as site:

        async def ask(n: int) -> tuple[str, str]:
            async with site.client.get("/health", headers={"X-Request-Id": f"r{n}"}) as response:
                return f"r{n}", response.headers["X-Request-Id"]

        for sent, echoed in await asyncio.gather(*map(ask, range(100))):
            assert sent == echoed


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
    ],
)
async def test_the_url_is_one_that_opens_here(host: str, url: str):
    assert Listening(host, 80, web.AppRunner(web.Application())).url == url
