"""`headwater streams`: missing ones are made, drifted ones are reported and left alone."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nats.aio.client import Client

from infra import jetstream
from tests.deployment import Deployment

DAY = 86_400_000_000_000
MINUTE = 60_000_000_000


@pytest.fixture
async def operator(deployment: Deployment) -> AsyncIterator[Client]:
    nc = await jetstream.connect(deployment.nats[0].operator_url, name="tests")
    yield nc
    await nc.close()


async def config(operator: Client, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = (await jetstream.api(operator, f"STREAM.INFO.{stream}"))["config"]
    return found


async def test_streams_are_shown(deployment: Deployment) -> None:
    shown = await deployment.cli("streams", "--json")
    assert shown.status == 0, shown.err
    streams = {each["stream"]: each for each in map(json.loads, shown.out.splitlines())}
    assert {"JOBSITE", "IDENTITY", "OPERATIONS", "LIVE"} <= streams.keys()
    assert (streams["JOBSITE"]["subjects"], streams["JOBSITE"]["storage"]) == ("jobsite.>", "file")
    assert all(each["drift"] == [] for each in streams.values())


async def test_drift_is_reported_and_not_mended_behind_anybodys_back(
    deployment: Deployment, operator: Client
) -> None:
    right = await config(operator, "OPERATIONS")
    drifted = {**right, "max_age": DAY, "duplicate_window": MINUTE}
    await jetstream.api(operator, "STREAM.UPDATE.OPERATIONS", drifted)
    try:
        shown = await deployment.cli("streams")
        assert shown.status == 1
        for setting in ("max_age", "duplicate_window"):
            assert f"drifted: OPERATIONS: {setting} is " in shown.out
        assert "`nats stream edit`" in shown.out
        assert (await config(operator, "OPERATIONS"))["max_age"] == DAY
        examined = await deployment.cli("doctor")
        assert examined.status == 1
        assert "WRONG  log" in examined.out
    finally:
        await jetstream.api(operator, "STREAM.UPDATE.OPERATIONS", right)
    assert (await deployment.cli("streams")).status == 0


async def test_a_stream_that_is_missing_is_made(deployment: Deployment, operator: Client) -> None:
    await jetstream.api(operator, "STREAM.DELETE.LIVE")
    assert (await deployment.cli("streams")).status == 0
    assert (await config(operator, "LIVE"))["storage"] == "memory"
