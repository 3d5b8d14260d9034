"""A cabinet with its read model at work, and a client of the whole."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests.deployment import Deployment
from tests.erasure.cabinet import Cabinet, cabinet


@pytest.fixture
async def papers(nats: NatsServer, postgres: PostgresServer) -> AsyncIterator[Cabinet]:
    async with cabinet(nats, postgres) as made, made.projecting():
        yield made


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client
