"""Effects that cannot be taken back: announced before, recorded after, and what becomes of those that break off."""

import asyncio
from typing import Any

from events.envelope import Recorded
from handlers import attempts as attempts_module
from handlers.handler import Answer, Attempt, Handler, NotYet
from infra import jetstream
from tests.handlers.workshop import Finish, Floor, Note, intent
from tests.kernel.wiring import until


def announced(floor: Floor, effect: Any, **options: Any) -> Handler:
    """A handler that notes how often its effect has begun."""
    begun: list[None] = []

    def announce(recorded: Recorded[Any]) -> Note:
        begun.append(None)
        return Note(task_id=recorded.event.task_id, text=str(len(begun)))

    return floor.shop.handler(effect, announce=announce, **options)


async def test_an_effect_is_announced_before_it_runs(floor: Floor) -> None:
    seen: list[list[str]] = []

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        seen.append(await floor.story(recorded.event.task_id))
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(announced(floor, effect)):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert seen == [["asked", "noted"]]
    assert await floor.story(task) == ["asked", "noted", "finished"]


async def test_an_effect_that_nobody_wants_any_more_does_not_run(floor: Floor) -> None:
    ran: list[None] = []

    async def effect(_: Recorded[Any], __: Attempt) -> Answer:
        ran.append(None)
        return None

    def announce(recorded: Recorded[Any]) -> Note:
        return Note(task_id=recorded.event.task_id, text="always the same")

    [task] = await floor.ask("")
    await floor.commands.execute(Note(task_id=task, text="always the same"), intent())
    async with floor.working(floor.shop.handler(effect, announce=announce)):
        await until(floor.idle)
    assert ran == []
    assert await floor.story(task) == ["asked", "noted"]


async def test_each_run_says_anew_that_it_begins(floor: Floor) -> None:
    tries: list[int] = []

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        tries.append(attempt.number)
        if attempt.number < 3:
            raise OSError("away")
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(announced(floor, effect)):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "noted", "noted", "noted", "finished"]


async def test_what_comes_before_its_time_waits_and_that_is_no_attempt(floor: Floor) -> None:
    asked: list[None] = []
    attempts: list[int] = []

    def announce(recorded: Recorded[Any]) -> Note:
        asked.append(None)
        if len(asked) < 5:
            raise NotYet(0.05)
        return Note(task_id=recorded.event.task_id, text="now")

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        attempts.append(attempt.number)
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(floor.shop.handler(effect, announce=announce, attempts=1)):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert (len(asked), attempts) == (5, [1])
    assert await floor.story(task) == ["asked", "noted", "finished"]


async def test_an_effect_that_ran_while_the_log_went_away_is_recorded_when_it_is_back(
    floor: Floor, monkeypatch: Any
) -> None:
    """Given out again meanwhile, in the same process, it does not run again."""
    ran: list[None] = []
    publish, away = jetstream.publish, 3

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        ran.append(None)
        return Finish(task_id=recorded.event.task_id)

    async def failing(nc: Any, message: Any, *args: Any, **options: Any) -> Any:
        nonlocal away
        if ran and away and message.subject.endswith("finished"):
            away -= 1
            await asyncio.sleep(0.4)
            raise jetstream.LogUnavailable("away")
        return await publish(nc, message, *args, **options)

    monkeypatch.setattr("handlers.answering.PERSISTENCE", 0.01)
    monkeypatch.setattr(jetstream, "publish", failing)
    monkeypatch.setattr("infra.log.patiently", lambda ask: ask())
    async with floor.working(announced(floor, effect), ack_wait=1):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert len(ran) == 1
    assert (await floor.story(task))[-1] == "finished"
    assert away == 0


async def test_a_worker_that_dies_in_between_is_known_to_the_next(floor: Floor) -> None:
    [task] = await floor.ask("")
    begun = asyncio.Event()

    async def dies(_: Recorded[Any], __: Attempt) -> Answer:
        begun.set()
        await asyncio.sleep(60)
        return None

    async def finishes(recorded: Recorded[Any], _: Attempt) -> Answer:
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(announced(floor, dies)) as consumer:
        await begun.wait()
        for running in list(consumer._running):
            running.cancel()
    async with floor.working(announced_again(floor, finishes)):
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "noted", "noted", "finished"]


def announced_again(floor: Floor, effect: Any) -> Handler:
    def announce(recorded: Recorded[Any]) -> Note:
        return Note(task_id=recorded.event.task_id, text="the second time")

    return floor.shop.handler(effect, announce=announce)


async def test_what_came_too_early_to_one_worker_is_no_attempt_to_another(
    floor: Floor, monkeypatch: Any
) -> None:
    monkeypatch.setattr(attempts_module, "LOST", 2)
    asked: list[None] = []

    def announce(recorded: Recorded[Any]) -> Note:
        asked.append(None)
        if len(asked) < 20:
            raise NotYet(0.02)
        return Note(task_id=recorded.event.task_id, text="now")

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        return Finish(task_id=recorded.event.task_id)

    handler = floor.shop.handler(effect, announce=announce, attempts=1)
    async with floor.working(handler), floor.working(handler):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "noted", "finished"]
