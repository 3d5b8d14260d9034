"""Stands between a client and the API, and does to connections what networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """What happens to the next connections: each fault is used up by one, in this order."""

    url: str = ""
    cut_requests: list[int] = field(default_factory=list)
    """Bytes of a request after which its connection breaks."""
    cut_answers: list[int] = field(default_factory=list)
    """Bytes of an answer after which its connection breaks."""
    refuses_upgrades: bool = False
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    """First bytes of each request."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Break everything that is open."""
        for writer in self._open:
            writer.transport.abort()

    async def serve(self, upstream: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        place = urlsplit(upstream)
        cut_request = self.cut_requests.pop(0) if self.cut_requests else None
        cut_answer = self.cut_answers.pop(0) if self.cut_answers and cut_request is None else None
        source, target = await asyncio.open_connection(place.hostname, place.port)
        self._open |= {writer, target}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, target, cut_request, requests=True, back=writer))
                group.create_task(self._pass(source, writer, cut_answer))
        except* ConnectionError:
            pass
        finally:
            self._open -= {writer, target}
            for each in (writer, target):
                each.transport.abort()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        most: int | None,
        *,
        requests: bool = False,
        back: asyncio.StreamWriter | None = None,
    ) -> None:
        passed = 0
        while data := await source.read(65536):
            if requests:
                self.heads.append(data[:2000])
                if self.refuses_upgrades and back and b"upgrade: websocket" in data[:2000].lower():
                    back.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    await back.drain()
                    raise ConnectionResetError
            if most is not None and passed + len(data) > most:
                target.write(data[: most - passed])
                with suppress(ConnectionError):
                    await target.drain()
                raise ConnectionResetError
            passed += len(data)
            target.write(data)
            await target.drain()
        raise ConnectionResetError


@asynccontextmanager
async def proxy_to(upstream: str) -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(lambda r, w: proxy.serve(upstream, r, w), "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
