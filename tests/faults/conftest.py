"""A Headwater that tests may harm, as long as they mend it."""

from collections.abc import AsyncIterator

import pytest

from tests.deployment import Deployment, deployed


@pytest.fixture(scope="session")
async def victim() -> AsyncIterator[Deployment]:
    async with deployed() as everything:
        yield everything
