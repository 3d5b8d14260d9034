"""What the tests of projections share: a connection to write rows with, and a site to project on."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from projections import checkpoints
from projections.checkpoints import TABLE
from tests import servers
from tests.projections.site import Site, site_on


@pytest.fixture(scope="session")
async def writing(postgres: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """A projector's connection to a database of its own, for tests that clean up after themselves."""
    async with servers.fresh_database(postgres) as dsn:
        plain = await asyncpg.connect(dsn)
        await plain.execute(TABLE)
        await plain.close()
        connection = await checkpoints.connect(dsn)
        yield connection
        await connection.close()


@pytest.fixture
async def site(nats: NatsServer, database: str) -> AsyncIterator[Site]:
    """A shop with an empty stream and an empty read model."""
    async with site_on(nats, database) as site:
        await site.migrate()
        yield site
