"""Who is alive is known within seconds, and a beat that cannot be sent is only missed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from infra.telemetry.heartbeat import EVERY, MISSED, REMEMBERED, Heartbeat, Roster, beat, first_beat
from infra.telemetry.metrics import Metrics

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def quick(role: str = "worker") -> Heartbeat:
    return msgspec.structs.replace(first_beat(role, NOON), every=0.01)


@asynccontextmanager
async def beating(
    publish: Callable[[str, bytes], Awaitable[None]], facts: Callable[[], dict[str, object]] = dict
) -> AsyncIterator[None]:
    task = asyncio.create_task(
        beat(publish, first=quick(), metrics=Metrics(), clock=lambda: NOON, facts=facts)
    )
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_beat_tells_who_what_and_how_much() -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def publish(subject: str, payload: bytes) -> None:
        await heard.put((subject, payload))

    async with beating(publish, lambda: {"handlers": ["transcribe"], "token": "swordfish"}):
        subject, payload = await asyncio.wait_for(heard.get(), 60)
    now = msgspec.json.decode(payload, type=Heartbeat)
    assert subject == f"live.process.{now.name}.heartbeat"
    assert now.name.startswith("worker-")
    assert now.name.endswith(str(now.pid))
    assert (now.started_at, now.at) == (NOON, NOON)
    assert now.facts == {"handlers": ["transcribe"], "token": "***"}
    assert "process_cpu_seconds" in {family.name for family in now.samples}
    assert b'"startedAt":"2026-01-02T12:00:00Z"' in payload


async def test_failed_beats_are_missed_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "infra.telemetry")
    tries = 0
    well_again = asyncio.Event()

    async def publish(subject: str, payload: bytes) -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            await asyncio.Event().wait()  # hangs
        if tries <= 4:
            raise ConnectionError("no servers")
        if tries == 6:
            well_again.set()

    async with beating(publish):
        await asyncio.wait_for(well_again.wait(), 60)
    assert [record.message for record in caplog.records] == [
        "heartbeats cannot be published", "heartbeats are published again",
    ]  # fmt: skip


async def test_facts_that_cannot_be_told_do_not_end_the_beats() -> None:
    asked = 0
    heard = asyncio.Event()

    def facts() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"share": 1 / (asked - 1)}

    async def publish(subject: str, payload: bytes) -> None:
        heard.set()

    async with beating(publish, facts):
        await asyncio.wait_for(heard.wait(), 60)
    assert asked >= 2


def test_who_misses_three_beats_is_gone_and_later_forgotten() -> None:
    roster = Roster()
    roster.hear(msgspec.json.encode(first_beat("worker", NOON)), NOON)
    last = NOON + timedelta(seconds=EVERY * MISSED)
    assert [each.alive for each in roster.seen(last)] == [True]
    assert [each.alive for each in roster.seen(last + timedelta(seconds=1))] == [False]
    assert list(roster.samples(last)) == [first_beat("worker", NOON).name]
    assert roster.samples(last + timedelta(seconds=1)) == {}
    assert roster.seen(NOON + timedelta(seconds=REMEMBERED + 1)) == []


def test_a_process_whose_clock_is_wrong_is_alive_when_it_is_heard() -> None:
    roster = Roster()
    roster.hear(msgspec.json.encode(first_beat("worker", NOON - timedelta(days=1))), NOON)
    assert roster.seen(NOON)[0].alive


def test_what_is_no_heartbeat_is_ignored() -> None:
    roster = Roster()
    for junk in (b"", b"{}", b"\xff", b'{"name": 1}'):
        roster.hear(junk, NOON)
    assert roster.seen(NOON) == []


@pytest.mark.parametrize("role", ["api", "worker 2", "Projector.x>*"])
def test_a_name_fits_into_a_subject(role: str) -> None:
    assert first_beat(role, NOON).subject.count(".") == 3
    assert not set(first_beat(role, NOON).subject) & set(" *>")
