"""What every line stands on: real servers in a temporary folder, started when first asked for."""

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from nats.aio.client import Client

from infra import jetstream, streams
from infra.embedded.home import Secrets
from infra.embedded.nats import NatsServer, Sync
from infra.embedded.postgres import PostgresServer
from infra.log import Log
from tests import servers
from tests.bench import million
from tests.bench.site import Site, prepared
from tests.bench.tasks import CATALOGUE

DURABILITY: dict[Sync, str] = {"always": "every event synced", "relaxed": "synced within 2 min"}
"""What JetStream's settings mean for an acknowledged event."""


class Ground:
    """Servers and sizes. The Postgres is the embedded one as users get it: durable."""

    def __init__(self, home: Path, *, quick: bool, stack: AsyncExitStack) -> None:
        self.home = home
        self.runs = 1 if quick else 3
        self.quick = quick
        self._stack = stack
        self._secrets = Secrets(home / "secrets")
        self._postgres: PostgresServer | None = None
        self._million: NatsServer | None = None

    def size(self, full: int) -> int:
        """How much of something: all of it, or a hundredth when it should be quick."""
        return full // 100 if self.quick else full

    def seconds(self, full: float) -> float:
        """How long a run that ends by the clock takes."""
        return full / 10 if self.quick else full

    @asynccontextmanager
    async def log_server(self, sync: Sync) -> AsyncIterator[NatsServer]:
        """A new JetStream with this setting."""
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            server = NatsServer(Path(folder), sync=sync, secrets=self._secrets)
            await server.start()
            try:
                yield server
            finally:
                await server.stop()

    @asynccontextmanager
    async def million(self) -> AsyncIterator[Log]:
        """The log of a million events, written when it is first asked for."""
        if self._million is None:
            self._million = await self._stack.enter_async_context(self.log_server("relaxed"))
            async with connected(self._million) as nc:
                await million.write(nc, self.size(million.EVENTS), say=say)
        async with connected(self._million) as nc:
            yield Log(nc, CATALOGUE)

    @asynccontextmanager
    async def site(self) -> AsyncIterator[Site]:
        """A new Headwater that can be started part by part: no line meets what another left its workers to do."""
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            async with self.log_server("relaxed") as server, self.database() as database:
                yield await prepared(Path(folder), server, database)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The dsn of a new, empty database."""
        if self._postgres is None:
            self._postgres = PostgresServer(self.home, secrets=self._secrets)
            await self._postgres.start()
            self._stack.push_async_callback(self._postgres.stop)
        async with servers.fresh_database(self._postgres) as dsn:
            yield dsn


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(text, file=sys.stderr, flush=True)


@asynccontextmanager
async def connected(server: NatsServer) -> AsyncIterator[Client]:
    """A connection to a JetStream; the stream of the tasks is there."""
    nc = await jetstream.connect(server.url, name="headwater bench")
    try:
        await streams.prepare(nc, [streams.context_stream("bench", 1)])
        yield nc
    finally:
        await nc.close()


@asynccontextmanager
async def ground(*, quick: bool) -> AsyncIterator[Ground]:
    """Ground to stand on; servers are stopped and everything is removed at the end."""
    with servers.temporary_home() as home:
        async with AsyncExitStack() as stack:
            yield Ground(home, quick=quick, stack=stack)
