"""Three nodes of JetStream, one of which dies: the others go on, and nothing that was promised is lost."""

from collections.abc import AsyncIterator

import pytest

from infra import jetstream
from infra.embedded.nats import NatsServer
from tests.deployment import Deployment, deployed
from tests.faults.uploads import kept, uploading


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[Deployment]:
    async with deployed(nodes=3) as everything:
        yield everything


async def leader(deployment: Deployment, stream: str) -> NatsServer:
    """The node that leads a stream; `node2` is the second."""
    nc = await jetstream.connect(deployment.environment["NATS_URL"], name="tests")
    try:
        info = await jetstream.api(nc, f"STREAM.INFO.{stream}")
        return deployment.nats[int(info["cluster"]["leader"].removeprefix("node")) - 1]
    finally:
        await nc.close()


@pytest.mark.parametrize("stream", ["JOBSITE", "LIVE"])
async def test_the_leader_dies_and_everything_can_be_started_without_it(
    cluster: Deployment, stream: str
) -> None:
    node = await leader(cluster, stream)
    async with uploading(cluster, 12) as uploads:
        await uploads.until(4)
        node.kill()
        await uploads.until(8)
        for part in cluster.parts:
            await part.restart()
    try:
        await kept(cluster, uploads)
    finally:
        await node.start()
