"""A log of a million events, written as fast as one connection can: tasks of ten events each, 5,000 side by side.

Among them are tasks that are loaded later: of ten and of 200 events, each once spread over the whole log and once
close together.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg

from events.envelope import subject_of, to_headers
from events.ids import derived_id, new_id
from infra import jetstream
from infra.log import PAST
from tests.bench.tasks import CATALOGUE, TEXT, TITLE, Closed, Noted, Opened, TaskEvent, intent

EVENTS = 1_000_000
LIFE = 10
"""Events of an ordinary task."""
SIDE_BY_SIDE = 5_000
"""Tasks under way at once: as many as a batch of a rebuild has events, so that folding saves it nothing."""
NAMES = UUID("6a5c6f58-9c39-5d0e-9a52-52a3a1b4f0c7")

UNHEARD = 4_000
"""Events on their way before the server has to say how far it is; it would drop some past 10,000."""
HEARD_EVERY = 500


class Known(NamedTuple):
    """A task that is known by its place in the log."""

    events: int
    spread: bool

    @property
    def id(self) -> UUID:
        return derived_id(NAMES, str(self.events), str(self.spread))

    def positions(self, total: int) -> list[int]:
        """Where its events are, from 0: every fourth one in the middle of the log, or all over it.

        The second are odd and the first are even, so that no two tasks want the same place.
        """
        step, start = (total // self.events, 1) if self.spread else (4, total // 2)
        return [start + n * step + 2 * (self.events > LIFE) for n in range(self.events)]


KNOWN = tuple(Known(events, spread) for events in (10, 200) for spread in (False, True))


def events(total: int) -> Iterator[TaskEvent]:
    """So many events in the order of the log."""
    known = {at: each for each in KNOWN for at in each.positions(total)}
    so_far = dict.fromkeys(KNOWN, 0)
    ordinary = _ordinary()
    for at in range(total):
        if each := known.get(at):
            yield _event(each.id, so_far[each], each.events)
            so_far[each] += 1
        else:
            yield next(ordinary)


def _ordinary() -> Iterator[TaskEvent]:
    while True:
        tasks = [new_id() for _ in range(SIDE_BY_SIDE)]
        for n in range(LIFE):
            for task in tasks:
                yield _event(task, n, LIFE)


def _event(task: UUID, n: int, of: int) -> TaskEvent:
    if n == 0:
        return Opened(task_id=task, title=TITLE, crew=3)
    if n == of - 1:
        return Closed(task_id=task, notes=n - 1)
    return Noted(task_id=task, n=n - 1, text=TEXT, minutes=20 + n)


async def write(nc: Client, total: int, *, say: Callable[[str], None]) -> None:
    """Write the log. One connection keeps the order, so every event's position is known before it is stored."""
    window = Window(nc)
    past: dict[UUID, tuple[int, ...]] = {}
    async with window:
        for position, event in enumerate(events(total), start=1):
            earlier = past.get(event.task_id, ())
            if position % HEARD_EVERY == 1:
                wish = intent()
            headers = to_headers(event, new_id(), wish)
            headers["ce-previous"] = ",".join(map(str, earlier[::-1])) or "0"
            await window.publish(position, subject_of(event), CATALOGUE.encode(event), headers)
            past[event.task_id] = (*earlier[1 - PAST :], position)
            if isinstance(event, Closed):
                del past[event.task_id]
            if position % 200_000 == 0:
                say(f"wrote {position:,} events")
    stored = (await jetstream.api(nc, "STREAM.INFO.BENCH"))["state"]["messages"]
    if stored != total:
        raise RuntimeError(f"the log has {stored} events, not {total}: the server dropped some")


class Window:
    """Publishes without waiting for each, and never has more than `UNHEARD` messages on their way."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._inbox = nc.new_inbox()
        self._room = asyncio.Semaphore(UNHEARD // HEARD_EVERY)

    async def __aenter__(self) -> None:
        self._subscription = await self._nc.subscribe(self._inbox, cb=self._stored)

    async def __aexit__(self, *failure: object) -> None:
        for _ in range(UNHEARD // HEARD_EVERY):
            await self._room.acquire()
        await self._subscription.unsubscribe()

    async def publish(self, position: int, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        heard = position % HEARD_EVERY == 0
        if heard:
            await self._room.acquire()
        await self._nc.publish(subject, payload, reply=self._inbox if heard else "", headers=headers)

    async def _stored(self, _: Msg) -> None:
        self._room.release()
