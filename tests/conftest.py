"""Servers that tests share, started when the first test asks for them, once in each pytest process."""

import os
import signal
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests import servers
from tests.deployment import Deployment, deployed
from tests.generation.ollama_server import MODEL, OllamaServer, ollama_server

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the processes that tests start all read the same modules

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background; what tests start would be as deaf
    signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of a test's
settings.register_profile(
    "suite", max_examples=50, derandomize=True, deadline=None, suppress_health_check=SLOW
)
settings.register_profile("search", max_examples=1000, deadline=None, suppress_health_check=SLOW)
settings.load_profile("suite")  # `--hypothesis-profile=search` looks for what nobody has thought of yet

COSTLY = {"victim": 0, "cluster": 0, "modelled": 1, "deployment": 1}
"""What takes long to start, and which of two pytest processes is to start it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring tests of one deployment together. With `-n 2 --dist worksteal` each process begins with its half of them
    all, and one that has finished takes over the end of the other's: what is costly to start is not there."""
    halves: tuple[list[pytest.Item], ...] = ([], [])
    others = []
    for item in items:
        wanted = {"cluster"} if "three servers" in item.name else set(getattr(item, "fixturenames", ()))
        half = next((half for name, half in COSTLY.items() if name in wanted), None)
        (others if half is None else halves[half]).append(item)
    room = max(0, len(items) // 2 - len(halves[0]))
    items[:] = [*halves[0], *others[:room], *halves[1], *others[room:]]


@pytest.fixture(scope="session")
async def nats() -> AsyncIterator[NatsServer]:
    """One JetStream for tests that do not mind each other's streams."""
    with servers.temporary_home() as home:
        async with servers.nats_server(home) as server:
            yield server


@pytest.fixture
async def fresh_nats() -> AsyncIterator[NatsServer]:
    """A JetStream without any stream, for this test alone."""
    with servers.temporary_home() as home:
        async with servers.nats_server(home) as server:
            yield server


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[tuple[NatsServer, ...]]:
    """Three JetStream nodes. A test that ends one starts it again before it leaves."""
    with servers.temporary_home() as home:
        async with servers.nats_cluster(home) as nodes:
            yield nodes


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """One Postgres; take `database` unless the server itself is what is tested."""
    with servers.temporary_home() as home:
        async with servers.postgres_server(home) as server:
            yield server


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[str]:
    """The dsn of an empty database for this test alone."""
    async with servers.fresh_database(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def deployment() -> AsyncIterator[Deployment]:
    """One whole Headwater for tests that leave it as they found it. Its handlers try once."""
    async with deployed(HANDLER_ATTEMPTS="1") as everything:
        yield everything


@pytest.fixture(scope="session")
async def ollama() -> AsyncIterator[OllamaServer]:
    """The model server of `modelled`. A test scripts what it says to questions that nobody else asks."""
    async with ollama_server() as server:
        yield server


@pytest.fixture(scope="session")
async def modelled(ollama: OllamaServer) -> AsyncIterator[Deployment]:
    """Like `deployment`, with a model server that writes; embeddings are made in the process."""
    async with deployed(HANDLER_ATTEMPTS="1", OLLAMA_URL=ollama.url, OLLAMA_MODEL=MODEL) as everything:
        yield everything
