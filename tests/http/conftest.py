"""One site for the tests that need nothing special of it."""

from collections.abc import AsyncIterator

import pytest

from tests.http.site import Site, serving


@pytest.fixture(scope="session")
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site
