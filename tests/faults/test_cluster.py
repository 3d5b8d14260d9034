"""Three nodes of JetStream, one of which dies: the others go on, and nothing that was promised is lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.contexts import STREAMS
from infra import jetstream
from tests.deployment import Deployment, deployed
from tests.faults.uploads import kept, uploading


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[Deployment]:
    async with deployed(nodes=3) as everything:
        yield everything


async def api(deployment: Deployment, subject: str) -> dict[str, Any]:
    """Ask JetStream."""
    nc = await jetstream.connect(deployment.environment["NATS_URL"], name="tests")
    try:
        return await jetstream.api(nc, subject)
    finally:
        await nc.close()


async def test_no_stream_is_on_one_node_alone(cluster: Deployment) -> None:
    found = (await api(cluster, "STREAM.LIST"))["streams"]
    wanted = (*STREAMS, "LIVE", "OBJ_BLOBS")
    replicas = {each["config"]["name"]: each["config"]["num_replicas"] for each in found}
    assert replicas == dict.fromkeys(wanted, 3)


async def test_the_leader_dies_and_everything_can_be_started_without_it(cluster: Deployment) -> None:
    leader = (await api(cluster, "STREAM.INFO.JOBSITE"))["cluster"]["leader"]
    node = cluster.nats[int(leader.removeprefix("node")) - 1]
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
