"""What fails is tried again, as often and as late as it should be, or becomes a dead letter."""

import asyncio
import time
from functools import partial
from typing import Any

from events.envelope import Recorded
from events.ids import new_id
from handlers.commands import Command
from handlers.handler import Answer, Attempt, Failure, Handler, NotYet, Poison, Retry
from handlers.refusals import NameTaken, Unavailable
from infra import jetstream
from tests.handlers.workshop import Finish, Floor, Forsake, Note
from tests.kernel.wiring import until


async def test_attempts_end_in_a_dead_letter_and_the_aggregate_is_told(floor: Floor) -> None:
    numbers: list[int] = []

    async def effect(_: Recorded[Any], attempt: Attempt) -> Answer:
        numbers.append(attempt.number)
        assert attempt.of == 4
        raise ValueError("not today")

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect, attempts=4)):
        await until(floor.idle)
    assert numbers == [1, 2, 3, 4]
    letter = await floor.buried(1)
    assert letter
    assert (letter.stream, letter.position, letter.attempts) == (floor.shop.stream, 1, 4)
    assert letter.error == "ValueError: not today"
    assert letter.subject == f"{floor.shop.context}.task.{task}.asked"
    [asked, forsaken] = await floor.history(task)
    assert letter.event_id == asked.id
    assert forsaken.event.why == "ValueError: not today"


async def test_an_event_that_succeeds_late_is_no_dead_letter(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        if attempt.number < 3:
            raise OSError("not yet")
        return Finish(task_id=recorded.event.task_id)

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect, attempts=3)):
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "finished"]
    assert await floor.letters(1) == []


async def test_a_handler_may_say_when_it_wants_to_try_again(floor: Floor) -> None:
    tries: list[float] = []

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        tries.append(time.monotonic())
        if attempt.number == 1:
            raise Retry("busy until then", delay=0.7)
        return Finish(task_id=recorded.event.task_id)

    await floor.ask("")
    async with floor.working(floor.shop.handler(effect, longest=0.01)):
        await until(floor.idle)
    assert 0.65 < tries[1] - tries[0] < 2


async def test_poison_is_not_tried_again(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        if recorded.event.text == "poison":
            raise Poison("never")
        return Finish(task_id=recorded.event.task_id)

    bad, good = await floor.ask("poison", "")
    async with floor.working(floor.shop.handler(effect, ordered=True)):
        await until(floor.idle)
    letter = await floor.buried(1)
    assert letter
    assert (letter.error, letter.attempts) == ("Poison: never", 1)
    assert await floor.story(bad) == ["asked", "forsaken"]
    assert await floor.story(good) == ["asked", "finished"]


async def test_what_the_rules_refuse_is_not_tried_again(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        return Finish(task_id=recorded.event.task_id, result="bad")

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect)):
        await until(floor.idle)
    letter = await floor.buried(1)
    assert letter
    assert (letter.error, letter.attempts) == ("Conflict: BAD_RESULT: That is no result.", 1)
    assert await floor.story(task) == ["asked", "forsaken"]


async def test_a_name_that_was_taken_since_the_handler_looked_makes_it_look_again(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        if attempt.number == 1:
            raise NameTaken("There is already a task of that name.")
        return Finish(task_id=recorded.event.task_id)

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect)):
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "finished"]


async def test_an_effect_that_takes_too_long_has_failed(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        await asyncio.sleep(30)
        return Finish(task_id=recorded.event.task_id)

    await floor.ask("")
    async with floor.working(floor.shop.handler(effect, timeout=0.1, attempts=2)):
        await until(floor.idle)
    letter = await floor.buried(1)
    assert letter
    assert letter.error == "TimeoutError: no answer within 0.1 s"


async def test_what_cannot_be_read_is_buried_and_the_next_event_goes_on(floor: Floor) -> None:
    bad = await floor.junk()
    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(ordered=True)):
        await until(floor.idle)
    letter = await floor.buried(bad)
    assert letter
    assert letter.error.startswith("Undecodable: ")
    assert (letter.event_id, letter.attempts) == (None, 1)
    assert await floor.story(task) == ["asked", "finished"]


async def test_an_aggregate_that_refuses_the_news_of_giving_up_is_still_rid_of_the_event(
    floor: Floor,
) -> None:
    def give_up(recorded: Recorded[Any], failure: Failure) -> Command:
        return Forsake(task_id=recorded.event.task_id, why=failure.error, refuse=True)

    async def effect(_: Recorded[Any], __: Attempt) -> Answer:
        raise Poison("never")

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect, give_up=give_up)):
        await until(floor.idle, within=5)
    assert await floor.buried(1)
    assert await floor.story(task) == ["asked"]


async def test_an_aggregate_that_cannot_be_read_is_still_rid_of_the_event(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        return Finish(task_id=recorded.event.task_id)

    [task] = await floor.ask("")
    junk = jetstream.Message(f"{floor.shop.context}.task.{task}.noted", b"{", {})
    position = (await jetstream.publish(floor.nc, junk)).seq
    async with floor.working(floor.shop.handler(effect, attempts=2)):
        await until(floor.idle, within=5)
    letter = await floor.buried(1)
    assert letter
    assert letter.error.startswith(f"Undecodable: {floor.shop.stream}@{position} lacks the headers ")


async def test_what_came_too_early_excuses_no_other_event_of_its_aggregate(floor: Floor) -> None:
    numbers: list[int] = []

    def announce(recorded: Recorded[Any]) -> Note:
        if recorded.event.text == "early":
            raise NotYet(0.01 if len(numbers) < 20 else 60.0)
        return Note(task_id=recorded.event.task_id, text=str(new_id()))

    async def effect(_: Recorded[Any], attempt: Attempt) -> Answer:
        numbers.append(attempt.number)
        raise ValueError("not today")

    task = new_id()
    async with floor.working(floor.shop.handler(effect, announce=announce, attempts=3)):
        await floor.ask("early", "", task=task)
        await until(partial(floor.buried, 2))
    assert numbers == [1, 2, 3]


async def test_an_outage_of_the_log_uses_up_no_attempts(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        tries.append(attempt.number)
        if len(tries) < 12:
            raise Unavailable("LOG_UNAVAILABLE", "The log does not answer.")
        return Finish(task_id=recorded.event.task_id)

    tries: list[int] = []
    [task] = await floor.ask("")
    handler = floor.shop.handler(effect, attempts=2, longest=0.02)
    async with floor.working(handler):
        await until(floor.idle)
    assert tries == [1] * 12
    info = await jetstream.api(floor.nc, f"CONSUMER.INFO.{floor.shop.context.upper()}.{handler.name}")
    assert info["delivered"]["consumer_seq"] == 1  # nor does the event look like one that kills who takes it
    assert await floor.story(task) == ["asked", "finished"]
    assert await floor.letters(1) == []


def test_waits_grow_are_capped_and_differ() -> None:
    handler = Handler(name="x", on=object, effect=print, backoff=1.0, longest=20.0)  # type: ignore[arg-type]
    for attempt, most in enumerate([1, 2, 4, 8, 16, 20, 20], start=1):
        waits = [handler.delay(attempt) for _ in range(200)]
        assert most / 2 <= min(waits) < max(waits) <= most
        assert len(set(waits)) > 150
    assert handler.delay(5000) <= 20
