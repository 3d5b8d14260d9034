"""A stream of its own for each test, on one server or on three, and as many connections as the test wants."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from nats.aio.client import Client

from handlers.commands import Commands
from infra import streams
from infra.embedded.nats import NatsServer
from infra.log import Log
from tests.kernel.commanding import Another
from tests.kernel.ledger import Ledger, new_ledger
from tests.kernel.wiring import connections

Nodes = tuple[NatsServer, ...]
Connect = Callable[[], Awaitable[Client]]


@pytest.fixture(params=["one server", "three servers"])
def nodes(request: pytest.FixtureRequest) -> Nodes:
    """The servers of the log: a test that asks for them runs on a single one and on a cluster with three replicas."""
    if request.param == "one server":
        return (request.getfixturevalue("nats"),)
    return request.getfixturevalue("cluster")


@pytest.fixture
async def connect(nodes: Nodes) -> AsyncIterator[Connect]:
    """Makes connections of the application's user."""
    async with connections(",".join(node.url for node in nodes)) as connect:
        yield connect


@pytest.fixture
async def eraser(nodes: Nodes) -> AsyncIterator[Client]:
    """A connection of the user that may delete messages."""
    async with connections(",".join(node.eraser_url for node in nodes)) as connect:
        yield await connect()


@pytest.fixture
async def nc(connect: Connect) -> Client:
    return await connect()


@pytest.fixture
async def ledger(nc: Client, nodes: Nodes) -> Ledger:
    """A context whose stream exists and is empty."""
    ledger = new_ledger()
    await streams.prepare(nc, [streams.context_stream(ledger.context, len(nodes))])
    return ledger


@pytest.fixture
def log(nc: Client, ledger: Ledger) -> Log:
    return Log(nc, ledger.catalogue)


@pytest.fixture
def commands(log: Log, ledger: Ledger) -> Commands:
    return Commands(log, [ledger.decider])


@pytest.fixture
def another(connect: Connect, ledger: Ledger) -> Another:
    """Makes what another process would have: a connection and a cache of its own."""

    async def make() -> Commands:
        return Commands(Log(await connect(), ledger.catalogue), [ledger.decider])

    return make
