"""Following topics over a network that breaks: every event once and in order, over whatever gets through."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from app.client import Headwater, Refused
from app.client.live import Following
from app.live.messages import Happened, Subscribed
from events.ids import new_id
from tests.client.proxy import Proxy
from tests.client.test_uploads import recording
from tests.kernel.wiring import until

LAST = "jobsite.session.indexed"


async def events(following: Following, last: str = LAST) -> list[str]:
    """The types of what is told, up to the first of that type."""
    heard: list[str] = []
    async with asyncio.timeout(60), aclosing(following.messages()) as messages:
        async for message in messages:
            if isinstance(message, Happened):
                heard.append(message.event)
                if message.event == last:
                    return heard
    raise AssertionError(heard)


@pytest.mark.parametrize("upgrades", [True, False], ids=["socket", "polling"])
async def test_every_event_is_told_once_though_connections_break(
    client: Headwater, proxy: Proxy, tmp_path: Path, upgrades: bool
) -> None:
    proxy.refuses_upgrades = not upgrades
    job = new_id()
    following = client.follow([f"jobs:{job}"], poll=0.3)
    listening = asyncio.create_task(events(following))

    async def begun() -> bool:
        return following.cursor is not None

    await until(begun)
    breaking = asyncio.create_task(_break(proxy))
    taken = await client.upload(recording(tmp_path), job_id=job)
    heard = await listening
    breaking.cancel()
    assert heard[0] == "jobsite.session.audio_uploaded"
    assert len(heard) == len(set(heard))
    assert following.polling is not upgrades
    again = client.follow([f"sessions:{taken.session_id}"], since=_before(taken.position), poll=0.3)
    assert set(heard) <= set(await events(again))


async def _break(proxy: Proxy) -> None:
    for _ in range(3):
        await asyncio.sleep(0.1)
        proxy.cut()


def _before(position: str) -> str:
    stream, _, at = position.partition("@")
    return f"{stream}@{int(at) - 1}"


async def test_a_topic_that_is_not_there_is_refused_in_words(client: Headwater) -> None:
    with pytest.raises(Refused) as refused:
        await events(client.follow(["nonsense"]))
    assert refused.value.code == "UNKNOWN_TOPIC"


async def test_a_server_that_is_away_for_a_moment_is_no_reason_to_poll(
    client: Headwater, proxy: Proxy
) -> None:
    following = client.follow([f"jobs:{new_id()}"])
    async with asyncio.timeout(60), aclosing(following.messages()) as messages:
        assert isinstance(await anext(messages), Subscribed)
        for _ in range(3):
            proxy.cut()
            assert isinstance(await anext(messages), Subscribed)
    assert not following.polling
