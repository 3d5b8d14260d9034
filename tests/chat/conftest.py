"""A client of the deployment with a model server."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.deployment import Deployment


@pytest.fixture
async def client(modelled: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with modelled.client() as session:
        yield session
