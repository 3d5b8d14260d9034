"""Clients that take their time cost a connection for a while, and nothing else."""

import asyncio
import time

from app.http.bodies import Patience
from app.http.server import Timeouts
from tests.http.site import Site, serving

PATIENCE = Patience(idle_seconds=0.2)
TIMEOUTS = Timeouts(request=0.4, lingering=0.2)


def head(site: Site, path: str, content_type: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {site.key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def test_a_body_that_stalls_is_answered_408_and_the_connection_closed():
    async with serving(patience=PATIENCE, timeouts=TIMEOUTS) as site:
        for path, kind in (
            ("/v1/notes", "application/json"),
            ("/v1/files", "multipart/form-data; boundary=b"),
        ):
            answer = await site.raw(head(site, path, kind, 1000) + b"--b\r\n")
            assert answer.startswith(b"HTTP/1.1 408")
            assert b'"code":"BODY_STALLED"' in answer


async def test_a_body_that_drips_but_arrives_is_taken():
    body = b'{"title":"x"}'
    async with serving(patience=PATIENCE, timeouts=Timeouts(request=0.3)) as site:
        drops = [body[n : n + 1] for n in range(len(body))]
        answer = await site.raw(head(site, "/v1/notes", "application/json", len(body)), *drops, pause=0.05)
        assert answer.startswith(b"HTTP/1.1 201")


async def test_a_connection_without_a_complete_request_is_closed():
    async with serving(timeouts=TIMEOUTS) as site:
        for start in (b"", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: y"):
            started = time.monotonic()
            assert await site.raw(start) == b""
            assert time.monotonic() - started < 10


async def test_dripping_headers_do_not_keep_a_connection_open():
    async with serving(timeouts=TIMEOUTS) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        started = time.monotonic()
        ended = asyncio.ensure_future(reader.read())
        while not ended.done():
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.sleep(0.02)
        assert time.monotonic() - started < 10
        writer.close()


async def test_others_are_served_while_many_stall():
    async with serving(patience=PATIENCE, timeouts=TIMEOUTS) as site:
        stalled = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(50)]
        for _, writer in stalled:
            writer.write(head(site, "/v1/notes", "application/json", 1000))
        async with site.client.get("/health") as response:
            assert response.status == 200
        for reader, writer in stalled:
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
