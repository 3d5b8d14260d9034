"""Whatever dies, each event has exactly one result."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from events.envelope import Recorded
from handlers import attempts
from handlers.commands import Command, Commands
from handlers.handler import Answer, Attempt
from handlers.refusals import Unavailable
from infra import jetstream
from infra.embedded.nats import NatsServer
from tests.handlers.child import marked, worker_process
from tests.handlers.test_consumers import is_so
from tests.handlers.workshop import Finish, Floor, Note, floor_on
from tests.kernel.wiring import Proxy, until

STORY = ["asked", "noted", "finished"]


async def test_a_worker_killed_in_the_middle_of_an_effect_is_replaced(floor: Floor, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    async with worker_process(floor, marks) as first:
        [task] = await floor.ask("kills once")
        await first.wait()
    assert await floor.story(task) == ["asked"]
    async with worker_process(floor, marks):
        await until(floor.idle)
    assert await floor.story(task) == STORY
    assert marked(marks, "kills once") == 2


async def test_a_worker_killed_before_it_could_acknowledge_leaves_one_result_and_no_second_effect(
    floor: Floor, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    async with worker_process(floor, marks) as first:
        [task] = await floor.ask("kills before ack")
        await first.wait()
    assert await floor.story(task) == STORY
    assert not await floor.idle()
    async with worker_process(floor, marks):
        await until(floor.idle)
    assert await floor.story(task) == STORY
    assert marked(marks, "kills before ack") == 1


async def test_an_event_that_kills_every_worker_ends_as_a_dead_letter_beside_the_others(
    floor: Floor, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    bad, *good = await floor.ask("always kills", "", "")
    for _ in range(2):
        async with worker_process(floor, marks) as worker:
            await worker.wait()
    async with worker_process(floor, marks):
        await until(floor.idle)
    assert marked(marks, "always kills") == 2
    letter = await floor.buried(1)
    assert letter
    assert letter.error == "given out too often without an answer"
    assert await floor.story(bad) == ["asked", "forsaken"]
    for task in good:
        assert await floor.story(task) == STORY


async def test_a_worker_that_dies_between_two_commands_of_an_answer_leaves_the_second_to_the_next(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out, failing = Commands.execute, True

    async def execute(self: Commands, command: Command, *args: Any, **options: Any) -> Any:
        nonlocal failing
        if isinstance(command, Finish) and failing:
            failing = False
            raise Unavailable("LOG_UNAVAILABLE", "The log does not answer.")
        return await carry_out(self, command, *args, **options)

    monkeypatch.setattr(Commands, "execute", execute)
    begun = 0

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal begun
        begun += 1
        task = recorded.event.task_id
        return [Note(task_id=task, text="first"), Finish(task_id=task)]

    [task] = await floor.ask("")
    async with floor.working(floor.shop.handler(effect)):
        await until(floor.idle)
    assert await floor.story(task) == STORY
    assert begun == 2


async def test_work_goes_on_when_the_log_was_killed_and_is_back(fresh_nats: NatsServer) -> None:
    at_work, go_on = 0, asyncio.Event()

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal at_work
        at_work += 1
        await go_on.wait()
        return Finish(task_id=recorded.event.task_id)

    async with floor_on(fresh_nats.url) as floor:
        tasks = await floor.ask(*[""] * 10)
        async with floor.working(floor.shop.handler(effect, concurrency=4), ack_wait=1):
            await until(lambda: is_so(at_work == 4))
            fresh_nats.kill()
            go_on.set()
            await fresh_nats.start()
            await until(lambda: is_so(floor.nc.is_connected))
            tasks += await floor.ask(*[""] * 3)
            await until(floor.idle)
        for task in tasks:
            assert await floor.story(task) == ["asked", "finished"]


async def test_work_goes_on_when_the_connection_was_lost(floor: Floor) -> None:
    """What the worker answers is lost for a while, then the connection breaks: everything is given out again."""
    at_work, most, at_once = 0, 0, 0

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal at_work, most, at_once
        at_work, at_once = at_work + 1, at_once + 1
        most = max(most, at_once)
        if at_work == 10:
            proxy.deaf = True
            asyncio.get_running_loop().call_later(0.3, proxy.cut)
        await asyncio.sleep(0.02)
        at_once -= 1
        return Finish(task_id=recorded.event.task_id)

    handler = floor.shop.handler(effect, concurrency=3)
    async with Proxy(floor.url) as proxy, floor.working(handler, ack_wait=0.5, url=proxy.url):
        tasks = await floor.ask(*[""] * 40)
        await until(floor.idle)
    for task in tasks:
        assert await floor.story(task) == ["asked", "finished"]
    assert most == 3


async def test_a_server_that_stands_still_gets_no_more_out_of_a_worker_than_it_may_do(
    fresh_nats: NatsServer,
) -> None:
    """The worker asks anew after two missed heartbeats; the server, awake again, serves the old request too."""
    most, at_once = 0, 0

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        nonlocal most, at_once
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        return Finish(task_id=recorded.event.task_id)

    async with floor_on(fresh_nats.url) as floor:
        async with floor.working(floor.shop.handler(effect, concurrency=2)) as worker:
            await floor.ask("")
            await until(floor.idle)
            process = fresh_nats._child.process  # type: ignore[union-attr]
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2.6)
            process.send_signal(signal.SIGCONT)
            tasks = await floor.ask(*[""] * 20)
            await until(floor.idle)
        assert worker.at_work == 0
        for task in tasks:
            assert await floor.story(task) == ["asked", "finished"]
    assert most == 2


async def test_a_consumer_that_was_deleted_is_made_again_and_no_old_effect_repeated(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        begun.append(recorded.position)
        return Finish(task_id=recorded.event.task_id)

    name = f"do_{floor.shop.context}"
    async with floor.working(floor.shop.handler(effect)):
        tasks = await floor.ask("", "", "")
        await until(floor.idle)
        monkeypatch.setattr(attempts, "OLD", 0.0)
        await jetstream.api(floor.nc, f"CONSUMER.DELETE.{floor.shop.stream}.{name}")
        tasks += await floor.ask("", "")
        await until(floor.idle)
    for task in tasks:
        assert await floor.story(task) == ["asked", "finished"]
    assert begun == [1, 2, 3, 7, 8]


async def test_what_is_answered_while_the_worker_is_told_to_stop_is_not_done_twice(floor: Floor) -> None:
    """Workers come and go while events pour in."""
    begun: list[int] = []

    async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
        begun.append(recorded.position)
        await asyncio.sleep(0.005)
        return Finish(task_id=recorded.event.task_id)

    handler = floor.shop.handler(effect, concurrency=8)
    tasks = await floor.ask(*[""] * 60)
    for _ in range(4):
        async with floor.working(handler):
            await asyncio.sleep(0.05)
    async with floor.working(handler):
        await until(floor.idle)
    for task in tasks:
        assert await floor.story(task) == ["asked", "finished"]
    assert len(begun) == 60
