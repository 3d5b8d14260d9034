"""Where webhooks may go, how they are signed, and how a call ends."""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from app.notifications.webhooks import check
from handlers.refusals import Invalid
from infra.delivery import Undelivered
from infra.webhooks.addresses import ForbiddenAddress, check_url
from infra.webhooks.calling import Caller
from infra.webhooks.signing import secret_of, signature, verified

HOOK = UUID(int=5)
ODD = [
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
]
FORBIDDEN = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    *ODD,
]


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_what_is_not_public_is_not_called(url: str) -> None:
    with pytest.raises(Undelivered) as refused:
        await Caller(allow_private=False, timeout=3).call(url, b"{}", {})
    assert refused.value.code == ("URL_UNUSABLE" if url in ODD else "ADDRESS_FORBIDDEN")
    assert refused.value.final


@pytest.mark.parametrize("url", FORBIDDEN[:4])
async def test_what_is_not_public_is_refused_at_once(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        await check(url, allow_private=False)
    assert (refused.value.code, refused.value.field) == ("ADDRESS_FORBIDDEN", "url")
    await check(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://",
        "https://me:secret@example.com/",
        "https://example.com/#a",
        "https://exa mple.com/",
        "//a",
        "http://[::1",
        "http://example.com:99999/",
    ],
)
def test_what_is_no_url_of_a_webhook(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        check_url(url, allow_private=True)


Lookup = Callable[..., Awaitable[list[Any]]]


def resolving(*addresses: str) -> Lookup:
    """A name server that answers each question with the next of these, and then with the last."""
    left = list(addresses)

    async def lookup(_: str, port: int, **__: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found.split(",")]

    return lookup


async def test_a_name_is_refused_when_any_of_its_addresses_is_not_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolving("93.184.216.34,127.0.0.1"))
    with pytest.raises(ForbiddenAddress):
        await Caller(allow_private=False, timeout=3).call("http://both.example/", b"{}", {})


async def test_a_name_that_leads_elsewhere_the_second_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rebinding: what is called is looked up once, and the address that was checked is the one that is called."""
    async with receiver() as (port, calls):
        lookup = resolving("93.184.216.34", "127.0.0.1")
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
        await check(f"http://rebinding.example:{port}/", allow_private=False)
        with pytest.raises(ForbiddenAddress):
            await Caller(allow_private=False, timeout=3).call(f"http://rebinding.example:{port}/", b"", {})
    assert calls == []


def test_a_secret_belongs_to_one_webhook_and_generation_and_server() -> None:
    first = secret_of(b"server", HOOK, 1)
    assert first == secret_of(b"server", HOOK, 1)
    others = {
        secret_of(b"server", HOOK, 2),
        secret_of(b"other", HOOK, 1),
        secret_of(b"server", UUID(int=6), 1),
    }
    assert len({first, *others}) == 4


def test_a_signature_is_what_its_description_says() -> None:
    mac = hmac.new(b"whsec_x", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert signature("whsec_x", b'{"a":1}', 1_700_000_000) == f"t=1700000000,v1={mac}"


def test_a_receiver_believes_only_what_is_signed_and_new() -> None:
    header = signature("whsec_x", b"{}", 1000)
    assert verified("whsec_x", b"{}", header, now=1200)
    assert not verified("whsec_x", b"{ }", header, now=1200)
    assert not verified("whsec_y", b"{}", header, now=1200)
    assert not verified("whsec_x", b"{}", header, now=1301)
    assert not verified("whsec_x", b"{}", header.replace("t=1000", "t=1100"), now=1200)
    for junk in ("", "t=", "t=1,v1=", "v1=é", "t=²,v1=a"):
        assert not verified("whsec_x", b"{}", junk, now=1)


@asynccontextmanager
async def receiver(status: int = 200, **headers: str) -> AsyncIterator[tuple[int, list[web.Request]]]:
    """A server that takes calls; its port, and the calls."""
    calls: list[web.Request] = []

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        calls.append(request)  # type: ignore[arg-type]
        await request.read()
        if status == 0:
            await asyncio.sleep(30)
        return web.Response(status=status or 200, headers=headers, body=b"x" * (1 << 20))

    runner = web.ServerRunner(web.Server(take), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], calls
    finally:
        await runner.cleanup()


async def test_a_call_that_is_taken_leaves_its_status() -> None:
    async with receiver(204) as (port, calls):
        said = await Caller(allow_private=True).call(f"http://localhost:{port}/a?b=c", b"{}", {"X-Of": "us"})
    assert said == "204 No Content"
    assert [(each.method, each.path_qs, each.headers["X-Of"]) for each in calls] == [("POST", "/a?b=c", "us")]


@pytest.mark.parametrize(
    ("status", "code", "final"),
    [(302, "HTTP_302", True), (404, "HTTP_404", False), (410, "HTTP_410", True), (503, "HTTP_503", False)],
)
async def test_how_a_call_fails(status: int, code: str, final: bool) -> None:
    async with receiver(status, Location="http://127.0.0.1:1/") as (port, calls):
        with pytest.raises(Undelivered) as failure:
            await Caller(allow_private=True).call(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (failure.value.code, failure.value.final, len(calls)) == (code, final, 1)


async def test_a_receiver_that_says_nothing_is_not_waited_for() -> None:
    async with receiver(0) as (port, _):
        with pytest.raises(Undelivered) as failure:
            await Caller(allow_private=True, timeout=0.2).call(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (failure.value.code, failure.value.final, failure.value.uncertain) == ("NO_ANSWER", False, True)


@asynccontextmanager
async def answering(said: bytes, *, then_closes: bool) -> AsyncIterator[str]:
    """The URL of a receiver that has the whole call, says these bytes and nothing more."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(said)
        await writer.drain()
        if not then_closes:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


@pytest.mark.parametrize("then_closes", [False, True], ids=["stalls", "breaks off"])
@pytest.mark.parametrize("of_body", [b"Content-Length: 100\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_the_status_decides_whatever_becomes_of_the_body(of_body: bytes, then_closes: bool) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n" + of_body, then_closes=then_closes) as url:
        assert await Caller(allow_private=True, timeout=1).call(url, b"{}", {}) == "200 OK"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"nonsense\r\n\r\n"])
async def test_a_connection_that_breaks_before_there_is_a_status_leaves_a_doubt(said: bytes) -> None:
    async with answering(said, then_closes=True) as url:
        with pytest.raises(Undelivered) as failure:
            await Caller(allow_private=True, timeout=1).call(url, b"{}", {})
    assert (failure.value.code, failure.value.final, failure.value.uncertain) == ("NO_ANSWER", False, True)


async def test_a_connection_that_does_not_come_about_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(30)
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    with pytest.raises(Undelivered) as failure:
        await Caller(allow_private=False, timeout=0.2).call("http://silent.example/", b"{}", {})
    assert (failure.value.code, failure.value.final, failure.value.uncertain) == ("UNREACHABLE", False, False)


async def test_nobody_there() -> None:
    async with receiver() as (port, _):
        pass
    with pytest.raises(Undelivered) as failure:
        await Caller(allow_private=True).call(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (failure.value.code, failure.value.final, failure.value.uncertain) == ("UNREACHABLE", False, False)
