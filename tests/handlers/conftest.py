"""A workshop on the shared server."""

from collections.abc import AsyncIterator

import pytest

from infra.embedded.nats import NatsServer
from tests.handlers.workshop import Floor, floor_on


@pytest.fixture
async def floor(nats: NatsServer) -> AsyncIterator[Floor]:
    """A workshop with an empty stream."""
    async with floor_on(nats.url) as floor:
        yield floor
