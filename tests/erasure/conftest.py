"""A cabinet with its read model at work."""

from collections.abc import AsyncIterator

import pytest

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests.erasure.cabinet import Cabinet, cabinet


@pytest.fixture
async def papers(nats: NatsServer, postgres: PostgresServer) -> AsyncIterator[Cabinet]:
    async with cabinet(nats, postgres) as made, made.projecting():
        yield made
