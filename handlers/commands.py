"""The one way to change anything: load the aggregate, decide, append; on a conflict read and decide again."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from events.envelope import Claim, Event, Intent, Key, Recorded
from handlers.refusals import Changed, NameTaken, Refusal, Unavailable, deleted_since
from handlers.refusals import Conflict as Refused
from infra.blobs import Blobs
from infra.jetstream import LogUnavailable
from infra.log import PAST, TOMBSTONE, Conflict, Log
from infra.reservations import Taken
from infra.telemetry import logs, traces
from infra.telemetry.metrics import AppendOutcome, Metrics

log = logs.logger(__name__)

ATTEMPTS = 24
CACHED = 20_000
"""Aggregates whose folded state a process keeps."""

C = TypeVar("C", bound="Command")
S = TypeVar("S")
E = TypeVar("E", bound=Event)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants. Subclasses carry `<aggregate>_id`, and all that a decision needs from outside."""


def as_told(event: type[E], command: Command, **known: Any) -> E:
    """The event that says what a command asked, field by field; `known` are facts that it did not bring."""
    asked = {name: getattr(command, name) for name in event.__struct_fields__ if hasattr(command, name)}
    return event(**asked, **known)


@dataclass(frozen=True)
class Decider(Generic[C, S]):
    """The rules of one kind of aggregate: two pure functions and where to begin."""

    context: str
    aggregate: str
    commands: tuple[type[C], ...]
    initial: S
    decide: Callable[[C, S], Sequence[Event]]
    evolve: Callable[[S, Any], S]
    whole: Callable[[Any], bool] = lambda _: False
    """Events from which alone the state follows: what was before them need not be read. The commands before them are
    not known then, so that an edge which may hear of one again looks for its `first` result before."""
    creates: tuple[type[C], ...] = ()
    """Commands that make an aggregate. Who repeats one after its deletion is told, though nothing is left of the first;
    handlers, which may come late, are not."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a command: its events (none when there was nothing to do) and the position to read after."""

    stream: str
    position: int
    events: tuple[Event, ...] = ()
    repeated: bool = False
    """The command was already in the log: this is its first result."""

    @property
    def cursor(self) -> str:
        return f"{self.stream}@{self.position}"


class _Done(NamedTuple):
    """What a command came to."""

    position: int
    fingerprint: str | None
    blobs: frozenset[str]
    """What its events brought."""


@dataclass
class _Aggregate:
    """A folded aggregate: its state, its newest positions, and the commands that made it."""

    state: Any
    past: tuple[int, ...] = ()
    done: dict[UUID, "_Done"] = field(default_factory=dict)
    deleted: bool = False
    proven: bool = True
    """Just read from the log; a state from the cache may be behind, so a refusal from it is not believed."""

    def fold(self, decider: Decider[Any, Any], recorded: Iterable[Recorded[Event]]) -> None:
        for each in recorded:
            self.state = decider.evolve(self.state, each.event)
            self.past = (*self.past[1 - PAST :], each.position)
            before = self.done.get(each.command_id)
            blobs = frozenset(each.event.blobs) | (before.blobs if before else frozenset())
            self.done[each.command_id] = _Done(each.position, each.fingerprint, blobs)
            self.deleted = each.event.name == TOMBSTONE


@contextmanager
def asking_the_log() -> Iterator[None]:
    """A log that does not answer is `Unavailable` to who wants something of it."""
    try:
        yield
    except LogUnavailable as failure:
        raise Unavailable("LOG_UNAVAILABLE", f"The log does not answer; ask again. {failure}") from failure


class Commands:
    """Executes commands for every decider. Safe to call from many tasks and many processes at once."""

    def __init__(
        self,
        log: Log,
        deciders: Iterable[Decider[Any, Any]],
        *,
        metrics: Metrics | None = None,
        blobs: Blobs | None = None,
        cached: int = CACHED,
    ) -> None:
        """With `blobs`, what an event brings must still be there once the event is: see `infra/custody.py`."""
        self._log = log
        self._blobs = blobs
        self._metrics = metrics or Metrics()
        self._deciders = {command: decider for decider in deciders for command in decider.commands}
        self._cache: OrderedDict[Key, _Aggregate] = OrderedDict()
        self._cached = cached
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def execute(self, command: Command, intent: Intent, *, fresh: bool = False) -> Outcome:
        """Carry out a command once, however often it is sent with the same `intent.command_id`.

        `fresh` says that the aggregate is probably new, which saves looking for it. Raises a `Refusal`.
        """
        decider = self._deciders[type(command)]
        key = Key(decider.context, decider.aggregate, getattr(command, f"{decider.aggregate}_id"))
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            try:
                with logs.context(command_id=intent.command_id), asking_the_log():
                    return await self._execute(decider, key, command, intent, fresh)
            except Unavailable:
                self._cache.pop(key, None)  # what was appended may be in the log, or not
                raise
            except Taken as taken:
                raise NameTaken(f"There is already a {taken.claim.kind} {taken.claim.value!r}.") from taken

    async def look(self, decider: Decider[C, S], id: UUID) -> S:
        """The state of an aggregate, as the log has it now. Raises `Unavailable`."""
        key = Key(decider.context, decider.aggregate, id)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            with asking_the_log():
                state: S = (await self._refreshed(decider, key, self._remembered(key))).state
        return state

    async def holder(self, context: str, claim: Claim) -> UUID | None:
        """Which aggregate has a unique name, as the log has it now. Raises `Unavailable`."""
        with asking_the_log():
            return await self._log.holder(context, claim)

    async def first(self, key: Key, intent: Intent, *, behind: int) -> Outcome | None:
        """What a command came to, if it did so behind a position that its aggregate had. Raises a `Refusal`.

        For aggregates whose events tell the whole state, where the commands before them are not known.
        """
        with asking_the_log():
            history = await self._behind(key, behind)
        own = [each for each in history if each.command_id == intent.command_id]
        if not own or history[-1].event.name == TOMBSTONE:  # the rules answer for what was deleted since
            return None
        events = tuple(each.event for each in own)
        return first_result(key.stream, own[-1].position, own[-1].fingerprint, intent, events)

    async def done(self, key: Key, command_id: UUID, *, behind: int = 0) -> bool:
        """Whether the aggregate holds the result of a command, and what it brought, behind a position that it had.

        Raises `LogUnavailable`.
        """
        history = await self._behind(key, behind)
        events = [each.event for each in history if each.command_id == command_id]
        if not events or history[-1].event.name == TOMBSTONE:
            return bool(events)
        return await self._stand(frozenset(blob for event in events for blob in event.blobs))

    async def _behind(self, key: Key, position: int) -> list[Recorded[Event]]:
        """The events of an aggregate behind a position that it had; all of them where that is not told."""
        newer = await self._log.newer(key, position) if position else None
        return await self._log.load(key) if newer is None else newer

    async def _execute(
        self, decider: Decider[Any, Any], key: Key, command: Command, intent: Intent, fresh: bool
    ) -> Outcome:
        aggregate = self._remembered(key) or (_Aggregate(decider.initial, proven=False) if fresh else None)
        for attempt in range(ATTEMPTS):
            if attempt or not aggregate:
                aggregate = await self._refreshed(decider, key, aggregate)
            if first := aggregate.done.get(intent.command_id):
                await self._check(aggregate, intent)
                if result := _first_result(key, first, intent, aggregate):
                    return result
            try:
                if aggregate.deleted and intent.fingerprint and isinstance(command, decider.creates):
                    raise deleted_since(key.aggregate, key.id)
                if intent.unchanged_since is not None and aggregate.past[-1:] > (intent.unchanged_since,):
                    raise Changed()
                if events := tuple(decider.decide(command, aggregate.state)):
                    aggregate.fold(decider, await self._append(events, intent, aggregate.past))
                    self._remember(key, aggregate)
                    await self._check(aggregate, intent)
                    return Outcome(key.stream, aggregate.past[-1], events)
                if aggregate.proven:
                    return Outcome(key.stream, aggregate.past[-1] if aggregate.past else 0)
            except (Refusal, Taken):
                if aggregate.proven:
                    raise
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 6)))
        raise Unavailable(
            "CONTENDED", f"Too many writers change this {decider.aggregate} at once; ask again."
        )

    async def _check(self, aggregate: _Aggregate, intent: Intent) -> None:
        """Raises `Unavailable` when the same content was just being erased: sent again, it is stored again."""
        if not aggregate.deleted and not await self._stand(aggregate.done[intent.command_id].blobs):
            raise Unavailable("CONTENT_ERASED", "The same content is being erased right now; send it again.")

    async def _stand(self, blobs: frozenset[str]) -> bool:
        if not self._blobs or not blobs:
            return True
        return all(await asyncio.gather(*(self._blobs.stands(each) for each in blobs)))

    async def _append(
        self, events: Sequence[Event], intent: Intent, past: tuple[int, ...]
    ) -> list[Recorded[Event]]:
        stream, began = events[0].key.stream, time.perf_counter()
        outcome: AppendOutcome = "error"
        try:
            with traces.span(f"append {events[-1].type()}", {"messaging.destination.name": stream}):
                recorded = await self._log.append(events, intent, past=past)
            outcome = "ok"
            log.info(
                "events appended", position=recorded[-1].cursor, events=[each.event.name for each in recorded]
            )
            return recorded
        except Conflict:
            outcome = "conflict"
            raise
        finally:
            self._metrics.appended(stream, outcome, time.perf_counter() - began)

    async def _refreshed(self, decider: Decider[Any, Any], key: Key, known: _Aggregate | None) -> _Aggregate:
        """The aggregate as the log has it now. Where it follows from what was known, only the news are read."""
        self._cache.pop(key, None)
        news = await self._log.newer(key, known.past[-1]) if known and known.past else None
        if known is None or news is None:
            known, news = _Aggregate(decider.initial), await self._log.load(key, whole=decider.whole)
        known.fold(decider, news)
        known.proven = True
        self._remember(key, known)
        return known

    def _remembered(self, key: Key) -> _Aggregate | None:
        if found := self._cache.get(key):
            found.proven = False
        return found

    def _remember(self, key: Key, aggregate: _Aggregate) -> None:
        self._cache[key] = aggregate
        self._cache.move_to_end(key)
        if len(self._cache) > self._cached:
            self._cache.popitem(last=False)


def first_result(
    stream: str, position: int, fingerprint: str | None, intent: Intent, events: tuple[Event, ...] = ()
) -> Outcome:
    """The outcome of a command that is in the log. Raises `Refused` when it was of another request."""
    if intent.fingerprint and fingerprint and intent.fingerprint != fingerprint:
        raise Refused(
            "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request; choose a new one."
        )
    return Outcome(stream, position, events, repeated=True)


def _first_result(key: Key, first: _Done, intent: Intent, aggregate: _Aggregate) -> Outcome | None:
    """None when what somebody asks for again was deleted since, which the rules answer."""
    outcome = first_result(key.stream, first.position, first.fingerprint, intent)
    if intent.fingerprint and aggregate.deleted and first.position != aggregate.past[-1]:
        return None
    return outcome
