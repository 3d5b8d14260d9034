"""A client of the whole."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.deployment import Deployment


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client
