"""Connections that are closed when the test is over, and a proxy that can lose what a server answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client

from infra import jetstream


@asynccontextmanager
async def connections(url: str) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Makes connections to `url`, and closes them."""
    made: list[Client] = []

    async def connect() -> Client:
        made.append(await jetstream.connect(url, name="tests"))
        return made[-1]

    try:
        yield connect
    finally:
        await asyncio.gather(*(each.close() for each in made))


async def until(condition: Callable[[], Awaitable[object]], *, within: float = 60.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


class Proxy:
    """Stands between a client and a server. While `deaf`, what the server says is lost."""

    def __init__(self, url: str) -> None:
        self._credentials, _, self._address = url.rpartition("@")
        self._open: set[asyncio.StreamWriter] = set()
        self.deaf = False

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{self._credentials}@127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection; new ones are heard again."""
        self.deaf = False
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._address.split(":")
        upstream, downstream = await asyncio.open_connection(host, int(port))
        self._open |= {writer, downstream}
        try:
            await asyncio.gather(self._pass(reader, downstream), self._pass(upstream, writer, answers=True))
        finally:
            self._open -= {writer, downstream}
            writer.close()
            downstream.close()

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not (answers and self.deaf):
                    target.write(data)
                    await target.drain()
        target.close()
