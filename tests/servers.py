"""Real servers for tests in temporary folders on free ports. A test may kill and start them as it likes."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import nats

from infra.embedded.home import Secrets
from infra.embedded.nats import NatsServer, Node, Sync
from infra.embedded.ports import claimed
from infra.embedded.postgres import PostgresServer


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        # Python closes temporary folders to other users; as root, Postgres runs as another user.
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def claimed_port() -> Iterator[int]:
    """A port for a server that is started later, perhaps several times: no other of ours takes it meanwhile."""
    with claimed(1) as ports:
        yield ports[0]


@asynccontextmanager
async def nats_server(home: Path, *, sync: Sync = "relaxed") -> AsyncIterator[NatsServer]:
    """A running JetStream; after `kill` or `stop`, `start` brings it back on the same port with its data."""
    server = NatsServer(home, sync=sync, secrets=Secrets(home / "secrets"))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def nats_cluster(home: Path, *, sync: Sync = "relaxed") -> AsyncIterator[tuple[NatsServer, ...]]:
    """Three JetStream nodes that have elected their leader; each can be killed and started."""
    with claimed(3) as ports:  # for the nodes among themselves: they listen there a little later
        nodes = tuple(
            NatsServer(
                home / f"node{n}",
                sync=sync,
                cluster=Node(f"node{n}", port, tuple(ports)),
                secrets=Secrets(home / "secrets"),
            )
            for n, port in enumerate(ports, 1)
        )
        try:
            await asyncio.gather(*(node.start() for node in nodes))
            await asyncio.gather(*(until_jetstream_answers(node) for node in nodes))
            yield nodes
        finally:
            await asyncio.gather(*(node.stop() for node in nodes))


async def until_jetstream_answers(server: NatsServer) -> None:
    """Wait until the server has JetStream to offer: in a cluster, until there is a leader to ask."""
    client = await nats.connect(server.url)
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    await client.jetstream(timeout=0.2).account_info()
                    return
                except (TimeoutError, nats.errors.Error):
                    continue
    finally:
        await client.close()


@asynccontextmanager
async def postgres_server(home: Path, *, durable: bool = False) -> AsyncIterator[PostgresServer]:
    """A running Postgres; after `kill` or `stop`, `start` brings it back on the same port with its data."""
    server = PostgresServer(home, durable=durable, secrets=Secrets(home / "secrets"))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def fresh_database(server: PostgresServer) -> AsyncIterator[str]:
    """The dsn of a new, empty database, dropped afterwards with whatever is still connected to it."""
    name = f"test_{secrets.token_hex(6)}"
    await _execute(server.dsn, f"CREATE DATABASE {name}")
    try:
        yield server.dsn.rsplit("/", 1)[0] + f"/{name}"
    finally:
        await _execute(server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
