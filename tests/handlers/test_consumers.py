"""Every event is answered exactly once by whoever works, or becomes a dead letter and holds up nothing."""

import asyncio
import time
from typing import Any

import pytest
from nats.aio.msg import Msg

from events.envelope import Recorded
from handlers import consumers
from handlers.handler import Answer, Attempt, Handler
from infra import jetstream
from infra.embedded.nats import NatsServer
from tests.handlers.workshop import Finish, Floor, Note, floor_on
from tests.kernel.wiring import until


async def test_each_event_is_answered_once_by_those_who_share_the_work(floor: Floor) -> None:
    by: list[str] = []

    def worker(name: str) -> Handler:
        async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
            by.append(name)
            await asyncio.sleep(0.002)
            return Finish(task_id=recorded.event.task_id)

        return floor.shop.handler(effect)

    tasks = await floor.ask(*[""] * 30)
    async with floor.working(worker("one")), floor.working(worker("two")):
        tasks += await floor.ask(*[""] * 30)
        await until(floor.idle)
    assert len(by) == 60
    assert {*by} == {"one", "two"}
    for task in tasks:
        assert await floor.story(task) == ["asked", "finished"]
    [asked, finished] = await floor.history(tasks[0])
    assert (finished.causation_id, finished.correlation_id) == (asked.id, asked.correlation_id)
    assert finished.actor == f"handler:do_{floor.shop.context}"


async def test_a_worker_that_starts_again_goes_on_where_it_stopped(floor: Floor) -> None:
    async with floor.working(floor.shop.handler()):
        await floor.ask("", "", "")
        await until(floor.idle)
    [late] = await floor.ask("")
    seen: list[int] = []

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        seen.append(recorded.position)
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(floor.shop.handler(effect)):
        await until(floor.idle)
    assert len(seen) == 1
    assert await floor.story(late) == ["asked", "finished"]


async def test_no_more_effects_run_at_once_than_the_handler_allows(floor: Floor) -> None:
    at_once, most, go_on = 0, 0, asyncio.Event()

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await go_on.wait()
        await asyncio.sleep(0.002)
        at_once -= 1
        return Finish(task_id=recorded.event.task_id)

    async with floor.working(floor.shop.handler(effect, concurrency=3)) as consumer:
        await floor.ask(*[""] * 20)
        await until(lambda: is_so(most == 3))
        assert consumer.at_work == 3
        go_on.set()
        await until(floor.idle)
    assert most == 3


async def is_so(truth: bool) -> bool:
    return truth


async def test_a_handler_may_be_given_other_settings(floor: Floor) -> None:
    async with floor.working(floor.shop.handler(), ack_wait=30):
        await floor.ask("")
        await until(floor.idle)
    async with floor.working(floor.shop.handler(ordered=True), ack_wait=2):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert await floor.story(task) == ["asked", "finished"]
    info = await jetstream.api(floor.nc, f"CONSUMER.INFO.{floor.shop.stream}.do_{floor.shop.context}")
    assert (info["config"]["ack_wait"], info["config"]["max_ack_pending"]) == (2e9, 1)


async def test_a_slow_effect_is_not_given_to_another(floor: Floor) -> None:
    """It takes far longer than `ack_wait`: the worker says in time that it is still at it."""
    started = 0

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal started
        started += 1
        await asyncio.sleep(1.5)
        return Finish(task_id=recorded.event.task_id)

    slow = floor.shop.handler(effect)
    async with floor.working(slow, ack_wait=0.4), floor.working(slow, ack_wait=0.4):
        [task] = await floor.ask("")
        await until(floor.idle)
    assert started == 1
    assert await floor.story(task) == ["asked", "finished"]


async def test_an_effect_may_answer_with_nothing_or_with_several_commands(floor: Floor) -> None:
    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        task = recorded.event.task_id
        if recorded.event.text == "nothing":
            return None
        return [Note(task_id=task, text="one"), Note(task_id=task, text="two"), Finish(task_id=task)]

    none, some = await floor.ask("nothing", "some")
    async with floor.working(floor.shop.handler(effect)):
        await until(floor.idle)
    assert await floor.story(none) == ["asked"]
    assert await floor.story(some) == ["asked", "noted", "noted", "finished"]


async def test_ordered_means_one_at_a_time_whoever_works(floor: Floor) -> None:
    seen: list[tuple[int, int]] = []
    at_once = 0

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        seen.append((recorded.position, attempt.number))
        await asyncio.sleep(0.01)
        at_once -= 1
        if recorded.position == 2:
            raise ValueError("not today")
        return Finish(task_id=recorded.event.task_id)

    await floor.ask(*[""] * 5)
    handler = floor.shop.handler(effect, ordered=True, attempts=2)
    async with floor.working(handler), floor.working(handler):
        await until(floor.idle)
    assert seen == [(1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (5, 1)]


async def test_a_worker_that_stops_finishes_what_is_nearly_done(floor: Floor) -> None:
    begun = asyncio.Event()

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        begun.set()
        await asyncio.sleep(0.2)
        return Finish(task_id=recorded.event.task_id)

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect)):
        await begun.wait()
    assert await floor.story(task) == ["asked", "finished"]
    await until(floor.idle, within=1)


async def test_a_worker_that_stops_hands_back_the_rest_at_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "TAKE_BACK", 0.1)
    begun = 0

    async def endless(_: Recorded[Any], __: Attempt) -> Answer:
        nonlocal begun
        begun += 1
        await asyncio.sleep(600)
        raise AssertionError

    tasks = await floor.ask(*[""] * 6)
    async with floor.working(floor.shop.handler()):
        pass  # the consumer is there
    async with floor.working(floor.shop.handler(endless, concurrency=2)):
        await floor.ask(*[""] * 4)
        await until(lambda: is_so(begun == 2))
        stopping = time.monotonic()
    async with floor.working(floor.shop.handler()):
        await until(floor.idle)
    assert time.monotonic() - stopping < 20, "nobody waits for 30 seconds"
    for task in tasks:
        assert await floor.story(task) == ["asked", "finished"]


async def test_a_cancellation_that_comes_with_an_answer_of_the_log_is_not_lost(floor: Floor) -> None:
    """In Python 3.11 `asyncio.wait_for`, which nats-py would use, would return the answer and forget to stop."""
    silent = await floor.nc.subscribe("silent")
    asking = asyncio.create_task(jetstream.request(floor.nc, "silent", b"", timeout=5))
    await silent.next_msg(timeout=5)
    [answer] = floor.nc._asked.values()
    answer.set_result(Msg(floor.nc))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_worker_waits_for_a_stream_that_is_not_there_yet(fresh_nats: NatsServer) -> None:
    async with floor_on(fresh_nats.url) as floor:
        operator = await jetstream.connect(fresh_nats.operator_url, name="tests")
        await jetstream.api(operator, f"STREAM.DELETE.{floor.shop.stream}")
        await operator.close()
        async with floor.working(floor.shop.handler()), floor_on(fresh_nats.url, floor.shop):
            [task] = await floor.ask("")

            async def finished() -> bool:
                return await floor.story(task) == ["asked", "finished"]

            await until(finished)


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"attempts": 0}, {"timeout": 0}, {"concurrency": 1000}]
)
def test_a_handler_that_makes_no_sense_is_refused_where_it_is_declared(
    floor: Floor, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        floor.shop.handler(**wrong)
