"""A worker in a process of its own, that kills itself where an event tells it to."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from events.envelope import Recorded
from handlers import attempts
from handlers.answering import Answering
from handlers.attempts import DONE
from handlers.commands import Commands
from handlers.consumers import Consumer
from handlers.handler import Answer, Attempt
from infra import jetstream
from infra.log import Log
from infra.pull import Delivery
from tests.handlers.workshop import Finish, Floor, Note, consumer, now, workshop

MARKS = "TEST_MARKS"


@asynccontextmanager
async def worker_process(floor: Floor, marks: Path) -> AsyncIterator[Process]:
    """Works until it is killed. `marks` is a file with a line for each effect that was begun."""
    given = {"TEST_NATS": floor.url, "TEST_SHOP": floor.shop.context, MARKS: str(marks)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.handlers.child", env=os.environ | given, cwd=Path(__file__).parents[2]
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def marked(marks: Path, text: str) -> int:
    """How often this was begun."""
    return marks.read_text().splitlines().count(text) if marks.exists() else 0


def mark(text: str) -> int:
    """Note it down; the how manieth time it is."""
    marks = Path(os.environ[MARKS])
    with marks.open("a") as file:
        file.write(f"{text}\n")
    return marked(marks, text)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def effect(recorded: Recorded[Any], _: Attempt) -> Answer:
    event = recorded.event
    times = mark(event.text)
    if event.text == "always kills" or (event.text == "kills once" and times == 1):
        await asyncio.sleep(0.05)
        die()
    return [Note(task_id=event.task_id, text=event.text), Finish(task_id=event.task_id)]


def die_between_append_and_acknowledgement(worker: Consumer) -> None:
    answer = worker._answer

    async def dies(delivery: Delivery, verdict: bytes) -> None:
        if verdict == DONE and b"kills before ack" in delivery.payload and mark("acknowledged") == 1:
            die()
        await answer(delivery, verdict)

    worker._answer = dies  # type: ignore[method-assign]


async def main() -> None:
    attempts.LOST = 1
    nc = await jetstream.connect(os.environ["TEST_NATS"], name="child")
    shop = workshop(os.environ["TEST_SHOP"])
    answering = Answering(Commands(Log(nc, shop.catalogue), shop.deciders), now)
    worker = consumer(shop.handler(effect, attempts=1), nc, answering, shop, 0.4)
    die_between_append_and_acknowledgement(worker)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
