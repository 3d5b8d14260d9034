"""A client behind a network that breaks when it is told to."""

from collections.abc import AsyncIterator

import pytest

from app.client import Headwater, Patience
from tests.client.proxy import Proxy, proxy_to
from tests.deployment import KEY, Deployment

HASTY = Patience(attempts=6, first=0.02, longest=0.1, timeout=20)


@pytest.fixture
async def proxy(deployment: Deployment) -> AsyncIterator[Proxy]:
    async with proxy_to(deployment.url) as between:
        yield between


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Headwater]:
    async with Headwater(proxy.url, KEY, patience=HASTY) as headwater:
        yield headwater
