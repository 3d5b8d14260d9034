"""Dead letters: driven through their handler again in order, or discarded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Event, Recorded
from events.ids import new_id
from handlers import attempts
from handlers.commands import Outcome
from handlers.handler import Answer, Attempt, Failure, Poison, Retry
from handlers.operations.burial import bury, dead_letter_id
from handlers.operations.decide import Discard, Redrive
from handlers.refusals import Conflict, NotFound
from infra import jetstream
from infra.embedded.nats import NatsServer
from tests.handlers.workshop import Finish, Floor, floor_on, intent, now
from tests.kernel.wiring import until


@pytest.fixture
async def floor(fresh_nats: NatsServer) -> AsyncIterator[Floor]:
    """A workshop with a server of its own: all letters of a server have one queue for redriving."""
    async with floor_on(fresh_nats.url) as floor:
        yield floor


class Mood:
    """An effect that fails for these texts."""

    def __init__(self, *bad: str) -> None:
        self.bad = set(bad)
        self.begun: list[str] = []

    async def effect(self, recorded: Recorded[Any], _: Attempt) -> Answer:
        self.begun.append(recorded.event.text)
        if recorded.event.text in self.bad:
            raise Poison(f"cannot stand {recorded.event.text}")
        return Finish(task_id=recorded.event.task_id, result=recorded.event.text)


def letter_of(floor: Floor, position: int) -> UUID:
    return dead_letter_id(floor.shop.stream, position, f"do_{floor.shop.context}")


async def redrive(floor: Floor, position: int, *after: int) -> Outcome:
    letters = tuple(letter_of(floor, each) for each in after)
    return await floor.commands.execute(
        Redrive(dead_letter_id=letter_of(floor, position), after=letters), intent()
    )


async def names(floor: Floor, position: int) -> list[str]:
    return [each.name for each in await floor.letters(position)]


async def settled(floor: Floor, *positions: int) -> None:
    """Wait until no redrive of these letters is under way."""

    async def done() -> bool:
        return all([(await names(floor, each))[-1] != "redriven" for each in positions])

    await until(done)


async def test_a_redriven_letter_is_resolved_by_its_result(floor: Floor) -> None:
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect), redriving=True):
        [task] = await floor.ask("a")
        await until(floor.idle)
        assert await floor.story(task) == ["asked", "forsaken"]
        mood.bad.clear()
        await redrive(floor, 1)
        await settled(floor, 1)
    assert await names(floor, 1) == ["recorded", "redriven", "resolved"]
    assert await floor.story(task) == ["asked", "forsaken", "finished"]
    result = (await floor.history(task))[-1]
    assert result.correlation_id == (await floor.history(task))[0].correlation_id


async def test_a_redrive_that_fails_opens_the_letter_again_and_may_be_repeated(floor: Floor) -> None:
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect), redriving=True):
        [task] = await floor.ask("a")
        await until(floor.idle)
        for _ in range(2):
            await redrive(floor, 1)
            await settled(floor, 1)
        mood.bad.clear()
        await redrive(floor, 1)
        await settled(floor, 1)
    assert await names(floor, 1) == ["recorded", *["redriven", "recorded"] * 2, "redriven", "resolved"]
    assert [each.attempts for each in await floor.letters(1) if each.name == "recorded"] == [1, 2, 3]
    assert mood.begun == ["a"] * 4
    assert await floor.story(task) == ["asked", "forsaken", "finished"]


async def test_letters_of_one_aggregate_are_redriven_in_their_order(floor: Floor) -> None:
    """The first fails again: the second is left alone, and stays open."""
    mood = Mood("first", "second")
    task = new_id()
    async with floor.working(floor.shop.handler(mood.effect, ordered=True), redriving=True):
        await floor.ask("first", task=task)
        await until(floor.idle)  # its giving up is an event of the task, too
        await floor.ask("second", task=task)
        await until(floor.idle)
        second = (await floor.history(task))[2].position
        mood.bad.discard("second")
        await redrive(floor, 1)
        await redrive(floor, second, 1)
        await settled(floor, 1, second)
        assert await names(floor, second) == ["recorded", "redriven", "recorded"]
        [_, _, kept] = await floor.letters(second)
        assert kept.error == "Poison: 1 earlier dead letters of the same aggregate are still open"
        assert mood.begun == ["first", "second", "first"]
        mood.bad.clear()
        await redrive(floor, 1)
        await redrive(floor, second, 1)
        await settled(floor, 1, second)
    assert (await names(floor, 1))[-1] == (await names(floor, second))[-1] == "resolved"
    assert mood.begun == ["first", "second", "first", "first", "second"]


async def test_letters_of_different_aggregates_do_not_wait_for_each_other(floor: Floor) -> None:
    """One that follows another waits for it, and only that one."""
    go_on, done = asyncio.Event(), list[str]()
    mood = Mood("slow", "next", "other")

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        if recorded.event.text == "slow" and not mood.bad:
            await go_on.wait()
        answer = await mood.effect(recorded, attempt)
        done.append(recorded.event.text)
        return answer

    async with floor.working(floor.shop.handler(effect), redriving=True):
        await floor.ask("slow", "next", "other")
        await until(floor.idle)
        mood.bad.clear()
        await redrive(floor, 1)
        await redrive(floor, 2, 1)
        await redrive(floor, 3)
        await settled(floor, 3)
        assert done == ["other"]
        go_on.set()
        await settled(floor, 1, 2)
    assert done == ["other", "slow", "next"]


async def test_a_letter_whose_predecessor_was_discarded_may_go(floor: Floor) -> None:
    mood = Mood("first", "second")
    async with floor.working(floor.shop.handler(mood.effect), redriving=True):
        task = new_id()
        await floor.ask("first", "second", task=task)
        await until(floor.idle)
        mood.bad.clear()
        await floor.commands.execute(Discard(dead_letter_id=letter_of(floor, 1), reason="no"), intent())
        await redrive(floor, 2, 1)
        await settled(floor, 2)
    assert await names(floor, 1) == ["recorded", "discarded"]
    assert await names(floor, 2) == ["recorded", "redriven", "resolved"]
    assert mood.begun[-1] == "second"
    assert "first" not in mood.begun[2:]


async def test_a_letter_whose_event_was_erased_is_resolved_without_an_effect(
    floor: Floor, fresh_nats: NatsServer
) -> None:
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect), redriving=True):
        await floor.ask("a")
        await until(floor.idle)
        eraser = await jetstream.connect(fresh_nats.eraser_url, name="tests")
        await jetstream.api(eraser, f"STREAM.MSG.DELETE.{floor.shop.stream}", {"seq": 1})
        await eraser.close()
        await redrive(floor, 1)
        await settled(floor, 1)
    assert await names(floor, 1) == ["recorded", "redriven", "resolved"]
    assert mood.begun == ["a"]


async def test_a_letter_of_what_cannot_be_read_stays_until_it_can(floor: Floor) -> None:
    bad = await floor.junk()
    async with floor.working(floor.shop.handler(), redriving=True):
        await until(floor.idle)
        await redrive(floor, bad)
        await settled(floor, bad)
    assert await names(floor, bad) == ["recorded", "redriven", "recorded"]
    assert (await floor.letters(bad))[-1].error.startswith("Undecodable: ")


async def test_a_letter_of_a_handler_that_is_no_more_says_so(floor: Floor) -> None:
    await floor.ask("a")
    failure = Failure(
        stream=floor.shop.stream,
        position=1,
        subject="x",
        event_id=None,
        handler="gone",
        error="Poison: never",
        attempts=1,
    )
    await bury(failure, commands=floor.commands, clock=now)
    letter = dead_letter_id(floor.shop.stream, 1, "gone")
    async with floor.working(floor.shop.handler(), redriving=True):
        await floor.commands.execute(Redrive(dead_letter_id=letter), intent())

        async def reopened() -> bool:
            return len(await floor.letters(1, "gone")) == 3

        await until(reopened)
    assert (await floor.letters(1, "gone"))[-1].error == "Poison: no handler is called gone"


async def test_a_handler_that_asks_for_patience_in_a_redrive_has_failed(floor: Floor) -> None:
    async def busy(_: Recorded[Any], __: Attempt) -> Answer:
        raise Retry("busy", delay=60)

    async with floor.working(floor.shop.handler(busy, attempts=1), redriving=True):
        await floor.ask("a")
        await until(floor.idle)
        await redrive(floor, 1)
        await settled(floor, 1)
    assert (await floor.letters(1))[-1].error == "Retry: busy"


async def test_a_redrive_that_kills_its_worker_time_after_time_opens_the_letter_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from JetStream: it was given out, and nothing was heard of it."""
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect)):
        await floor.ask("a")
        await until(floor.idle)
    await redrive(floor, 1)
    monkeypatch.setattr(attempts, "LOST", -6)
    async with floor.working(floor.shop.handler(mood.effect), redriving=True):
        await settled(floor, 1)
    last = (await floor.letters(1))[-1]
    assert (last.name, last.error) == ("recorded", "given out too often without an answer")
    assert mood.begun == ["a"]


async def test_what_is_discarded_while_it_is_redriven_stays_discarded(floor: Floor) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    attempt = 0

    async def effect(_: Recorded[Any], __: Attempt) -> Answer:
        nonlocal attempt
        attempt += 1
        if attempt > 1:
            begun.set()
            await go_on.wait()
        raise Poison("never")

    async with floor.working(floor.shop.handler(effect), redriving=True):
        await floor.ask("a")
        await until(floor.idle)
        await redrive(floor, 1)
        await begun.wait()
        await floor.commands.execute(Discard(dead_letter_id=letter_of(floor, 1)), intent())
        go_on.set()

        async def redriven() -> bool:
            info = await jetstream.api(floor.nc, "CONSUMER.INFO.OPERATIONS.redrive")
            return not info["num_ack_pending"] and not info["num_pending"]

        await until(redriven)
    assert await names(floor, 1) == ["recorded", "redriven", "discarded"]


async def test_asking_twice_changes_nothing(floor: Floor) -> None:
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect)):
        await floor.ask("a")
        await until(floor.idle)
    assert (await redrive(floor, 1)).events
    assert not (await redrive(floor, 1)).events
    for _ in range(2):
        await floor.commands.execute(Discard(dead_letter_id=letter_of(floor, 1)), intent())
    assert await names(floor, 1) == ["recorded", "redriven", "discarded"]
    with pytest.raises(Conflict, match="DEAD_LETTER_CLOSED"):
        await redrive(floor, 1)
    same = intent()
    for _ in range(2):
        with pytest.raises(NotFound, match="DEAD_LETTER_NOT_FOUND"):
            await floor.commands.execute(Redrive(dead_letter_id=new_id()), same)


async def test_the_same_failure_is_one_letter_however_often_it_is_buried(floor: Floor) -> None:
    mood = Mood("a")
    async with floor.working(floor.shop.handler(mood.effect)):
        await floor.ask("a")
        await until(floor.idle)
        await jetstream.api(floor.nc, f"CONSUMER.DELETE.{floor.shop.stream}.do_{floor.shop.context}")
        await until(lambda: twice(mood))
        await until(floor.idle)
    assert await names(floor, 1) == ["recorded"]
    [task] = {each.event.task_id for each in await everything(floor)}
    assert await floor.story(task) == ["asked", "forsaken"]


async def twice(mood: Mood) -> bool:
    return len(mood.begun) == 2


async def everything(floor: Floor) -> list[Recorded[Any]]:
    found: list[Recorded[Event]] = [each async for each in floor.log.scan(floor.shop.stream)]
    return found
