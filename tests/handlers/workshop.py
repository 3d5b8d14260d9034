"""A small context to test handlers with: something is asked for, a handler answers it. Made anew for each test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from nats.aio.client import Client

from events.catalogue import Catalogue
from events.envelope import Event, Intent, Key, Recorded, to_headers
from events.ids import new_id
from events.operations import OPERATIONS_EVENTS
from events.operations import Recorded as DeadLetter
from handlers.answering import Answering
from handlers.attempts import Attempts
from handlers.commands import Command, Commands, Decider
from handlers.consumers import Consumer
from handlers.handler import Answer, Attempt, Failure, Handler
from handlers.operations.burial import bury, dead_letter_id, redriver
from handlers.operations.decide import DEAD_LETTERS
from handlers.refusals import Conflict
from infra import jetstream, streams
from infra.jetstream import ApiError
from infra.log import Log
from infra.signals import Signals
from infra.telemetry.metrics import Metrics

_numbers = itertools.count(1)

Effect = Callable[[Recorded[Any], Attempt], Awaitable[Answer]]


class Finish(Command, frozen=True, kw_only=True):
    """A result for the task. The first one counts; "bad" is refused."""

    task_id: UUID
    result: str = "done"


class Note(Command, frozen=True, kw_only=True):
    """Something to add to the task, each text once."""

    task_id: UUID
    text: str


class Forsake(Command, frozen=True, kw_only=True):
    """Nobody will finish it. Refused where `refuse` says so."""

    task_id: UUID
    why: str
    refuse: bool = False


class State(msgspec.Struct, frozen=True):
    finished: bool = False
    forsaken: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """The types of one such context."""

    context: str
    Asked: type[Any]
    Finished: type[Any]
    Noted: type[Any]
    Forsaken: type[Any]
    Deleted: type[Any]

    @property
    def stream(self) -> str:
        return self.context.upper()

    @property
    def catalogue(self) -> Catalogue:
        own = [self.Asked, self.Finished, self.Noted, self.Forsaken, self.Deleted]
        return Catalogue([*own, *OPERATIONS_EVENTS])

    @property
    def deciders(self) -> list[Decider[Any, Any]]:
        commands = (Finish, Note, Forsake)
        return [
            Decider(self.context, "task", commands, State(), self.decide, self.evolve),
            DEAD_LETTERS,
        ]

    def decide(self, command: Command, state: State) -> Sequence[Event]:
        match command:
            case Finish(task_id=task, result=result):
                if result == "bad":
                    raise Conflict("BAD_RESULT", "That is no result.")
                return [] if state.finished else [self.Finished(task_id=task, result=result)]
            case Note(task_id=task, text=text):
                return [] if text in state.notes else [self.Noted(task_id=task, text=text)]
            case Forsake(task_id=task, why=why, refuse=refuse):
                if refuse:
                    raise Conflict("KEPT", "It is not given up.")
                return [] if state.forsaken else [self.Forsaken(task_id=task, why=why)]
        raise AssertionError(command)

    def evolve(self, state: State, event: Any) -> State:
        if isinstance(event, self.Finished):
            return msgspec.structs.replace(state, finished=True)
        if isinstance(event, self.Forsaken):
            return msgspec.structs.replace(state, forsaken=True)
        if isinstance(event, self.Noted):
            return msgspec.structs.replace(state, notes=(*state.notes, event.text))
        return state

    def handler(self, effect: Effect | None = None, **options: Any) -> Handler:
        """A handler of what is asked; without an effect, one that finishes at once."""

        async def finish(recorded: Recorded[Any], _: Attempt) -> Answer:
            return Finish(task_id=recorded.event.task_id)

        def give_up(recorded: Recorded[Any], failure: Failure) -> Command:
            return Forsake(task_id=recorded.event.task_id, why=failure.error)

        settings: dict[str, Any] = {"backoff": 0.02, "longest": 0.1, "give_up": give_up, "timeout": 20}
        return Handler(
            name=f"do_{self.context}", on=self.Asked, effect=effect or finish, **settings | options
        )


def new_workshop() -> Workshop:
    return workshop(f"workshop{next(_numbers)}")


def workshop(name: str) -> Workshop:
    class Entry(Event, frozen=True, kw_only=True):
        context = name
        aggregate = "task"
        task_id: UUID

    class Asked(Entry, frozen=True, kw_only=True):
        text: str = ""

    class Finished(Entry, frozen=True, kw_only=True):
        result: str

    class Noted(Entry, frozen=True, kw_only=True):
        text: str

    class Forsaken(Entry, frozen=True, kw_only=True):
        why: str

    class Deleted(Entry, frozen=True, kw_only=True):
        pass

    return Workshop(name, Asked, Finished, Noted, Forsaken, Deleted)


@dataclass
class Floor:
    """A workshop on a server: what is asked there, what became of it, and who works."""

    url: str
    nc: Client
    shop: Workshop

    @property
    def log(self) -> Log:
        return Log(self.nc, self.shop.catalogue)

    @property
    def commands(self) -> Commands:
        return Commands(self.log, self.shop.deciders)

    async def ask(self, *texts: str, task: UUID | None = None, age: float = 0) -> list[UUID]:
        """Ask for as many things, each of a task of its own unless one is given."""
        tasks = [task or new_id() for _ in texts]
        for each, text in zip(tasks, texts, strict=True):
            event = self.shop.Asked(task_id=each, text=text)
            headers = to_headers(event, new_id(), intent())
            payload = self.shop.catalogue.encode(event)
            await jetstream.publish(
                self.nc, jetstream.Message(event.key.filter[:-1] + event.name, payload, headers)
            )
        return tasks

    async def junk(self) -> int:
        """Ask for something that nobody can read; its position."""
        subject = f"{self.shop.context}.task.{new_id()}.asked"
        return (await jetstream.publish(self.nc, jetstream.Message(subject, b"{", {}))).seq

    async def story(self, task: UUID) -> list[str]:
        """The names of what happened to a task."""
        return [each.event.name for each in await self.history(task)]

    async def history(self, task: UUID) -> list[Recorded[Any]]:
        return await self.log.load(Key(self.shop.context, "task", task))

    async def letters(self, position: int, handler: str | None = None) -> list[Any]:
        """What became of the dead letter of an event."""
        letter = dead_letter_id(self.shop.stream, position, handler or f"do_{self.shop.context}")
        return [each.event for each in await self.log.load(Key("operations", "dead_letter", letter))]

    async def buried(self, position: int) -> DeadLetter | None:
        letters = [each for each in await self.letters(position) if isinstance(each, DeadLetter)]
        return letters[-1] if letters else None

    async def idle(self) -> bool:
        """Whether there is a consumer, and nothing that it has not dealt with.

        A consumer hears of a new message a moment after its publisher does, so its counts alone can say "nothing
        to do" too early: it must have come as far as the last message that is its to do.
        """
        stream, durable = self.shop.stream, f"do_{self.shop.context}"
        asked = {"last_by_subj": f"{self.shop.context}.task.*.asked"}
        try:
            info = await jetstream.api(self.nc, f"CONSUMER.INFO.{stream}.{durable}")
            last = await jetstream.api(self.nc, f"STREAM.MSG.GET.{stream}", asked)
        except ApiError:
            return False
        return bool(info["ack_floor"]["stream_seq"] >= last["message"]["seq"] and not info["num_ack_pending"])

    @asynccontextmanager
    async def working(
        self, handler: Handler, *, ack_wait: float = 30.0, url: str | None = None, redriving: bool = False
    ) -> AsyncIterator[Consumer]:
        """A process's worth of work: a connection and a consumer of its own."""
        async with AsyncExitStack() as stack:
            nc = await jetstream.connect(url or self.url, name="worker")
            stack.push_async_callback(nc.close)
            log = Log(nc, self.shop.catalogue)
            answering = Answering(Commands(log, self.shop.deciders), now)
            handlers = [handler]
            if redriving:
                handlers.append(redriver({handler.name: handler}, log=log, answering=answering))
            consumers = [consumer(each, nc, answering, self.shop, ack_wait) for each in handlers]
            for each in consumers:
                await stack.enter_async_context(running(each))
            yield consumers[0]


def consumer(handler: Handler, nc: Client, answering: Answering, shop: Workshop, ack_wait: float) -> Consumer:
    commands = Commands(Log(nc, shop.catalogue), shop.deciders)
    attempts = Attempts(
        handler,
        catalogue=shop.catalogue,
        answering=answering,
        bury=partial(bury, commands=commands, clock=now),
        signals=Signals(nc),
        metrics=Metrics(),
        clock=now,
    )
    return Consumer(handler, attempts, nc=nc, ack_wait=ack_wait)


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        if task.done():
            task.result()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def floor_on(url: str, shop: Workshop | None = None) -> AsyncIterator[Floor]:
    """A workshop on this server, with its streams."""
    shop = shop or new_workshop()
    nc = await jetstream.connect(url, name="tests")
    try:
        wanted = [streams.context_stream(each, 1) for each in (shop.context, "operations")]
        await streams.prepare(nc, [*wanted, streams.live_stream()])
        yield Floor(url, nc, shop)
    finally:
        await nc.close()


def now() -> datetime:
    return datetime.now(UTC)


def intent() -> Intent:
    command_id = new_id()
    return Intent(command_id=command_id, actor="user:ada", at=now(), correlation_id=command_id)
