"""A queue that never blocks those who tell, never grows past its limit, and may be waited for."""

import asyncio

import pytest

from app.live.limits import Allowance, Limits
from app.live.messages import Message
from app.live.outbox import Outbox


def outbox(queue: int = 4, queue_bytes: int = 1000) -> tuple[Outbox, list[str]]:
    events: list[str] = []
    made = Outbox(Limits(queue=queue, queue_bytes=queue_bytes), lambda: events.append("overflow"))
    return made, events


def note(text: str = "x") -> Message:
    return Message("note", text.encode())


async def drain(box: Outbox) -> list[str]:
    return [(await box.take()).payload.decode() for _ in list(box)]  # type: ignore[union-attr]


async def test_what_is_put_comes_out_in_order():
    box, _ = outbox()
    taking = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    for text in "abc":
        box.put(note(text))
    assert await taking == note("a")
    assert await drain(box) == ["b", "c"]


@pytest.mark.parametrize(("queue", "queue_bytes", "fit"), [(4, 1000, 4), (100, 25, 3), (100, 1, 1)])
async def test_what_does_not_fit_is_said_once_for_each(queue: int, queue_bytes: int, fit: int):
    box, events = outbox(queue, queue_bytes)
    for _ in range(fit):
        box.put(note("x" * 10))
    assert not events
    box.put(note("x" * 10))
    assert events == ["overflow"]
    assert len(list(box)) == fit


async def test_what_may_be_left_out_is_left_out_past_half():
    box, events = outbox(queue=4)
    for text in "abcdef":
        box.offer(note(text))
    assert await drain(box) == ["a", "b"]
    assert not events


async def test_who_can_wait_waits_until_less_than_half_is_used():
    box, _ = outbox(queue=4)
    await box.room()
    box.put(note())
    box.put(note())
    waiting = asyncio.create_task(box.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await box.take()
    await asyncio.wait_for(waiting, 60)


async def test_a_closed_outbox_takes_and_gives_nothing():
    box, events = outbox(queue=1)
    taking = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    box.close()
    assert await taking is None
    box.put(note())
    box.put(note())
    assert await box.take() is None
    assert not events


def test_an_allowance_refills_and_does_not_grow():
    allowance = Allowance(3, 2.0, now=0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(0.5) for _ in range(2)] == [True, False]
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]
