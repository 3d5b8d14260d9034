"""The streams are made once, as they should be; what has drifted is told and left alone."""

import asyncio

import pytest

from infra import jetstream, streams
from infra.jetstream import ApiError, LogUnavailable
from tests.kernel.ledger import new_ledger
from tests.kernel.wiring import connections


async def configuration(nc, stream: str) -> dict:
    return (await jetstream.api(nc, f"STREAM.INFO.{stream}"))["config"]


async def test_missing_streams_are_made_and_found_again_as_they_should_be(nc, nodes):
    context = new_ledger().context
    wanted = streams.all_streams([context], len(nodes))
    assert [each["name"] for each in wanted] == [context.upper(), "LIVE"]
    for _ in range(2):
        assert await streams.prepare(nc, wanted) == []
    config = await configuration(nc, context.upper())
    assert (config["subjects"], config["num_replicas"]) == ([f"{context}.>"], len(nodes))
    assert (config["storage"], config["retention"], config["discard"]) == ("file", "limits", "new")
    assert (config["compression"], config["allow_direct"], config["allow_atomic"]) == ("s2", True, True)
    assert (config["max_msgs"], config["max_bytes"], config["max_age"]) == (-1, -1, 0)


async def test_many_processes_may_prepare_at_once(connect, nodes):
    wanted = [streams.context_stream(new_ledger().context, len(nodes)) for _ in range(3)]
    assert await asyncio.gather(*[streams.prepare(await connect(), wanted) for _ in range(4)]) == [[]] * 4


async def test_a_stream_that_has_drifted_is_reported_and_left_as_it_is(nc, nodes):
    wanted = streams.context_stream(new_ledger().context, len(nodes))
    drifted = wanted | {"max_age": 3600 * 10**9, "discard": "old", "allow_atomic": False}
    await streams.prepare(nc, [drifted])
    drifts = await streams.prepare(nc, [wanted])
    assert {each.setting: (each.expected, each.actual) for each in drifts} == {
        "discard": ("new", "old"),
        "max_age": (0, 3600 * 10**9),
        "allow_atomic": (True, False),
    }
    assert str(drifts[0]) == f"{wanted['name']}: discard is 'old', should be 'new'"
    assert (await configuration(nc, wanted["name"]))["discard"] == "old"


async def test_replicas_need_a_cluster(nats):
    async with connections(nats.url) as connect:
        with pytest.raises(ApiError, match="replicas > 1"):
            await streams.prepare(await connect(), [streams.context_stream(new_ledger().context, 3)])


async def test_a_server_that_is_not_there_is_named_in_time(nats, monkeypatch):
    monkeypatch.setattr(jetstream, "CONNECTED_WITHIN", 1)
    async with asyncio.timeout(20):
        with pytest.raises(LogUnavailable, match="Connect call failed"):
            await jetstream.connect("nats://127.0.0.1:1", name="tests")
        with pytest.raises(LogUnavailable, match="Authorization") as refused:
            await jetstream.connect(f"nats://headwater:wrong@127.0.0.1:{nats.port}", name="tests")
        assert "wrong" not in str(refused.value)


async def test_the_loss_and_return_of_a_connection_is_told(fresh_nats):
    heard: asyncio.Queue[str] = asyncio.Queue()
    nc = await jetstream.connect(fresh_nats.url, name="tests", on_event=heard.put_nowait)
    try:
        async with asyncio.timeout(60):
            fresh_nats.kill()
            assert await heard.get() == "disconnected"
            await fresh_nats.start()
            assert await heard.get() == "reconnected"
    finally:
        await nc.close()
