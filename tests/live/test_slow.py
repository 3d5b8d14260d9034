"""A client that does not read fills its own queue and is closed with a cursor; nobody else notices."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType

from app.live import client, conversation, streams
from app.live.limits import Limits
from events.ids import new_id
from tests.live.site import Office, Site, account_of, told_up_to, until

SMALL = Limits(queue=32, queue_bytes=256 << 10)


@pytest.fixture
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests read only after all is written, which on a busy machine takes longer than a client is waited for."""
    for module in (client, conversation, streams):
        monkeypatch.setattr(module, "GRACE", 60.0)


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {b64encode(bytes(16)).decode()}",
)


@asynccontextmanager
async def deaf(office: Office, path: str, key: str, *headers: str) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that asks for something, and reads only what the test reads."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", office.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    lines = (f"GET {path} HTTP/1.1", "Host: headwater", f"X-Api-Key: {key}", *headers, "", "")
    writer.write("\r\n".join(lines).encode())
    try:
        yield reader
    finally:
        writer.transport.abort()


async def heard_until(reader: asyncio.StreamReader, text: str) -> bytes:
    """Everything that comes until this does."""
    heard = b""
    while text.encode() not in heard:
        some = await reader.read(1 << 16)
        assert some, heard[-200:]
        heard += some
    return heard


async def frames(reader: asyncio.StreamReader) -> list[bytes]:
    """Every message that a server sends, and as the last what it says when it closes."""
    heard = []
    await reader.readuntil(b"\r\n\r\n")
    while True:
        first, length = await reader.readexactly(2)
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
        heard.append(await reader.readexactly(length))
        if first & 15 == WSMsgType.CLOSE:
            return heard


async def write_much(site: Site, office: Office, account) -> list[int]:
    """More than the buffers between two processes hold."""
    written = []
    for _ in range(50):
        written += await site.write(account, 2, words=20_000)
        await told_up_to(office, written[-1])
    return written


@pytest.mark.usefixtures("grace")
async def test_a_slow_socket_is_closed_and_others_get_everything(site: Site):
    account = new_id()
    async with site.office(limits=SMALL) as office:
        quick = await office.socket()
        await quick.follow(account_of(account))
        async with deaf(office, f"/v1/ws?topics={account_of(account)}", site.key, *UPGRADE) as reader:
            await until(lambda: office.figure("live_connections") == 2)
            writing = asyncio.create_task(write_much(site, office, account))
            told = await quick.positions(100)
            assert told == await writing
            *heard, farewell = await frames(reader)
        await until(lambda: office.figure("live_closed_slow_total") == 1)
        assert int.from_bytes(farewell[:2]) == 4408
        since = farewell[2:].decode()
        events = len(heard) - 1
        assert since == site.cursor(told[events - 1])
        again = await office.socket(account_of(account), **{"from": since})
        await again.hear("subscribed")
        assert await again.positions(100 - events) == told[events:]


@pytest.mark.usefixtures("grace")
async def test_a_slow_event_stream_is_ended_and_comes_back(site: Site):
    account = new_id()
    async with site.office(limits=SMALL) as office:
        path = f"/v1/events?topics={account_of(account)}"
        async with deaf(office, path, site.key, "Connection: close") as reader:
            await until(lambda: office.figure("live_connections") == 1)
            told = await write_much(site, office, account)
            heard = await reader.read(-1)
        await until(lambda: office.figure("live_closed_slow_total") == 1)
        last = heard.rpartition(b"id: ")[2].split(b"\n")[0].decode()
        socket = await office.socket(account_of(account), **{"from": last})
        await socket.hear("subscribed")
        events = heard.count(b"event: event\n")
        assert 0 < events < 100
        assert await socket.positions(100 - events) == told[events:]


@pytest.mark.usefixtures("grace")
async def test_signals_are_left_out_first(site: Site):
    """A client that reads too slowly for signals still gets every event."""
    account = new_id()
    async with (
        site.office(limits=SMALL) as office,
        deaf(office, f"/v1/ws?topics={account_of(account)}", site.key, *UPGRADE) as reader,
    ):
        await heard_until(reader, "subscribed")
        for _ in range(1000):
            await site.nc.publish(f"live.accounts.{account}.token", b'"' + b"x" * 60_000 + b'"')
        written = await site.write(account, 5)
        await told_up_to(office, written[-1])
        heard = await heard_until(reader, site.cursor(written[-1]))
        assert [heard.count(site.cursor(each).encode()) for each in written] == [1] * 5
        assert 0 < heard.count(b"signal") < 1000


@pytest.mark.parametrize("path", ["ws", "events"])
async def test_a_process_stops_in_time_though_a_client_does_not_read(site: Site, path: str):
    account = new_id()
    patient = Limits(queue_bytes=1 << 30)
    async with site.office(limits=patient) as office:
        headers = UPGRADE if path == "ws" else ()
        async with deaf(office, f"/v1/{path}?topics={account_of(account)}", site.key, *headers):
            await until(lambda: office.figure("live_connections") == 1)
            await write_much(site, office, account)
            began = asyncio.get_running_loop().time()
            await office.stop()
            assert asyncio.get_running_loop().time() - began < 9
            assert office.figure("live_connections") == 0
