"""Fixtures for the blob store: `site` runs a test once on each store."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from moto.server import ThreadedMotoServer

from infra.embedded.nats import NatsServer
from tests.blobs import sites
from tests.blobs.sites import Site


@pytest.fixture(scope="session")
def moto() -> Iterator[ThreadedMotoServer]:
    """One S3 server for tests that do not mind each other's buckets."""
    with sites.moto_server() as server:
        yield server


@pytest.fixture
async def objects(nats: NatsServer) -> AsyncIterator[Site]:
    """The store in JetStream, with an empty bucket."""
    async with sites.objects(nats) as found:
        yield found


@pytest.fixture(scope="session")
async def shared_s3(moto: ThreadedMotoServer) -> AsyncIterator[Site]:
    """One client for all tests: to make one takes most of a second."""
    async with sites.s3(moto) as found:
        yield found


@pytest.fixture
async def s3(shared_s3: Site) -> AsyncIterator[Site]:
    """The store in S3, with an empty bucket."""
    yield shared_s3
    await shared_s3.settle()
    await shared_s3.blobs.sweep(timedelta(days=-1))
    for key in await shared_s3.contents():
        await shared_s3.blobs.delete(key)


@pytest.fixture(params=["objects", "s3"])
def site(request: pytest.FixtureRequest) -> Site:
    """A store with an empty bucket: once in JetStream, once in S3."""
    found: Site = request.getfixturevalue(request.param)
    return found
