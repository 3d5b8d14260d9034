"""A site of its own for each test, and one process that serves it."""

from collections.abc import AsyncIterator

import pytest

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests import servers
from tests.live.site import Office, Site, a_site


@pytest.fixture(scope="session")
async def read_models(postgres: PostgresServer) -> AsyncIterator[str]:
    """The dsn of a database for all these tests: each has a schema of its own."""
    async with servers.fresh_database(postgres) as dsn:
        yield dsn


@pytest.fixture
async def site(nats: NatsServer, read_models: str) -> AsyncIterator[Site]:
    async with a_site(nats.url, read_models) as site:
        yield site


@pytest.fixture
async def office(site: Site) -> AsyncIterator[Office]:
    async with site.office() as office:
        yield office
