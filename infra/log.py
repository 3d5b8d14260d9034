"""The event store: guarded appends, an aggregate's events, and the whole stream in order."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from events.catalogue import Catalogue, Undecodable
from events.envelope import Claim, Event, Intent, Key, Recorded, subject_of, to_headers
from events.ids import new_id
from infra import jetstream
from infra.jetstream import WRONG_LAST, Ack, ApiError, Message, patiently
from infra.reader import Reader
from infra.reservations import Reservations
from infra.stored import Stored, direct_get, leader_get
from infra.wire import Connection

PAST = 32
"""How many earlier positions of its aggregate an event names, so that a load need not search the stream."""

TOMBSTONE = "deleted"
"""The name of the one event that outlives the erasure of its aggregate."""

BATCH_REPEATS = 10201
_position = attrgetter("position")


class Conflict(Exception):
    """Somebody else appended to the aggregate first: read again, decide again. `last` is its newest position, or 0."""

    def __init__(self, last: int = 0) -> None:
        super().__init__("the aggregate has moved on")
        self.last = last


class LogDamaged(Exception):
    """An event that should be in the log is not, and no tombstone says that it was erased."""


class Log:
    """The streams of all contexts. Every write is guarded by the position its writer believes to be the last."""

    def __init__(self, nc: Connection, catalogue: Catalogue) -> None:
        self._nc = nc
        self._reservations = Reservations(nc)
        self.catalogue = catalogue

    async def append(
        self, events: Sequence[Event], intent: Intent, *, past: Sequence[int]
    ) -> list[Recorded[Event]]:
        """Append events of one aggregate whose positions so far are `past` (oldest first, empty for none).

        One event is one guarded publish; several, or one that claims a unique name, are one atomic batch. Raises
        `Conflict`, `Taken`, or `LogUnavailable` when it is not known whether they were stored.
        """
        key = events[0].key
        if any(event.key != key for event in events[1:]):
            raise ValueError("events of several aggregates cannot be appended at once")
        messages = [self._message(event, n, intent, past) for n, event in enumerate(events)]
        messages[0].expect(past[-1] if past else 0, key.filter)
        names = self._reservations.of(events)
        if names.has_releases:
            await patiently(names.look)
        while True:
            try:
                ack = await patiently(lambda: self._publish([*names.messages(), *messages]))
                break
            except ApiError as refused:
                if refused.code not in WRONG_LAST and refused.code != BATCH_REPEATS:
                    raise
                if not await patiently(names.moved):
                    raise Conflict(_last_in(refused)) from None
        first = ack.seq - len(messages) + 1
        return [
            Recorded(event, message.headers, key.stream, first + n)
            for n, (event, message) in enumerate(zip(events, messages, strict=True))
        ]

    async def _publish(self, messages: Sequence[Message]) -> Ack:
        if len(messages) == 1:
            return await jetstream.publish(self._nc, messages[0])
        return await jetstream.publish_batch(self._nc, messages)

    def _message(self, event: Event, n: int, intent: Intent, past: Sequence[int]) -> Message:
        headers = to_headers(event, new_id(), intent)
        within = range(-1, -1 - n, -1)
        headers["ce-previous"] = ",".join(map(str, [*within, *past[::-1]][:PAST])) or "0"
        return Message(subject_of(event), self.catalogue.encode(event), headers)

    async def load(self, key: Key, *, whole: Callable[[Event], bool] | None = None) -> list[Recorded[Event]]:
        """Every event of an aggregate, oldest first, as its stream's leader knows it.

        With `whole`, events before the newest one for which it holds may be left out.

        Follows the positions that each event names, so that the cost is that of the aggregate and not of the log
        (JetStream finds the messages of a wildcard by looking at every one in between). Events written by other
        tools, that name none, are searched for. Raises `LogDamaged` and `LogUnavailable`.
        """
        return await patiently(lambda: self._load(key, whole))

    async def backwards(self, stream: str, position: int) -> AsyncIterator[Recorded[Event]]:
        """The events of an aggregate from the one at a position back to its first, as far as they are wanted."""
        oldest = await self.at(stream, position)
        if oldest is None:
            return
        yield oldest
        asked = {position}
        while earlier := [at for at in _previous(oldest) if at not in asked]:
            asked.update(earlier)
            found = await patiently(partial(self._all_at, stream, earlier))
            for each in sorted(found, key=_position, reverse=True):
                oldest = each
                yield each
            if not found:
                return

    async def newer(self, key: Key, than: int) -> list[Recorded[Event]] | None:
        """The events of an aggregate behind the position that was its newest once.

        None when they do not follow from it, or when that cannot be told: then everything has to be loaded.
        """
        return await patiently(lambda: self._newer(key, than))

    async def _load(self, key: Key, whole: Callable[[Event], bool] | None) -> list[Recorded[Event]]:
        newest = await self._newest(key)
        if newest is None:
            return []
        history = await self._back(newest, 0, whole)
        if "ce-previous" not in history[0].headers:
            return [each async for each in self.scan(key.stream, key.filter, until=newest.position)]
        return history

    async def _newer(self, key: Key, than: int) -> list[Recorded[Event]] | None:
        newest = await self._newest(key)
        if newest is None or newest.position == than:
            return [] if newest else None
        history = await self._back(newest, than)
        return history if than in _previous(history[0]) else None

    async def _newest(self, key: Key) -> Recorded[Event] | None:
        message = await leader_get(self._nc, key.stream, {"last_by_subj": key.filter})
        return self._recorded(message) if message else None

    async def _back(
        self, newest: Recorded[Event], behind: int, whole: Callable[[Event], bool] | None = None
    ) -> list[Recorded[Event]]:
        """The events of an aggregate behind a position, oldest first, by following the positions that each names."""
        found = {newest.position: newest}
        asked = {newest.position}
        oldest, enough = newest, False
        while not enough and (earlier := [at for at in _previous(oldest) if at > behind and at not in asked]):
            asked.update(earlier)
            for each in await self._all_at(newest.stream, earlier):
                found[each.position] = each
                enough = enough or (whole is not None and whole(each.event))
            if len(found) < len(asked) and newest.event.name != TOMBSTONE:
                raise LogDamaged(f"events before {newest.cursor} are gone, and no tombstone says why")
            oldest = found[min(found)]
        return [found[at] for at in sorted(found)]

    async def _all_at(self, stream: str, positions: Sequence[int]) -> list[Recorded[Event]]:
        messages = await direct_get(self._nc, stream, *({"seq": at} for at in positions))
        for n, at in enumerate(positions):  # a follower may not have it yet: the leader knows
            messages[n] = messages[n] or await leader_get(self._nc, stream, {"seq": at})
        return [self._recorded(message) for message in messages if message]

    async def at(self, stream: str, position: int) -> Recorded[Event] | None:
        """The event at one position, or None when it was erased or never was. Raises `Undecodable`."""
        found = await self._all_at(stream, [position])
        return found[0] if found else None

    async def deleted(self, key: Key) -> bool:
        """Whether an aggregate has been deleted, erased or not. Raises `LogUnavailable`."""
        subject = f"{key.filter.removesuffix('>')}{TOMBSTONE}"
        return await leader_get(self._nc, key.stream, {"last_by_subj": subject}) is not None

    async def held(self, key: Key) -> dict[str, int]:
        """How many messages of an aggregate its stream holds, by the names of their events."""
        request = {"subjects_filter": key.filter}
        info = await jetstream.api(self._nc, f"STREAM.INFO.{key.stream}", request)
        subjects: dict[str, int] = info["state"].get("subjects") or {}
        return {subject.rpartition(".")[2]: count for subject, count in subjects.items()}

    async def deleted_before(self, key: Key, recorded: Recorded[Any]) -> bool:
        """Whether an aggregate of the same stream was deleted when this happened: what was before that is for whoever
        answers the tombstone."""
        return TOMBSTONE in await self.held(key) and (await self.load(key))[-1].position < recorded.position

    async def holder(self, context: str, claim: Claim) -> UUID | None:
        """Which aggregate has a unique name now, if any. Raises `LogUnavailable`."""
        return await patiently(lambda: self._reservations.holder(context, claim))

    async def last_position(self, stream: str) -> int:
        """The newest position of a stream, 0 when empty."""
        info = await jetstream.api(self._nc, f"STREAM.INFO.{stream}")
        return int(info["state"]["last_seq"])

    def reader(self, stream: str, *, after: int, filters: Sequence[str] = (), window: int = 2000) -> Reader:
        """The messages of a stream in order from behind a position, for ever; `filters` are subjects."""
        return Reader(self._nc, self.catalogue, stream, after=after, filters=filters, window=window)

    async def scan(
        self, stream: str, *filters: str, after: int = 0, until: int | None = None
    ) -> AsyncIterator[Recorded[Event]]:
        """The events of a stream from behind `after` up to `until` (its end, as it is now, when not given)."""
        end = await patiently(lambda: self.last_position(stream)) if until is None else until
        async with self.reader(stream, after=after, filters=filters) as reader:
            while await patiently(lambda: reader.before(end)):
                for each in await reader.take(1000, wait=1.0):
                    if each.position <= end:
                        yield each

    def _recorded(self, message: Stored) -> Recorded[Event]:
        return self.catalogue.read(
            headers=message.headers,
            payload=message.payload,
            stream=message.stream,
            position=message.position,
            subject=message.subject,
        )


def _previous(recorded: Recorded[Event]) -> list[int]:
    """The positions that an event names as its aggregate's earlier ones; those of its own batch are relative."""
    told = recorded.headers.get("ce-previous", "0")
    try:
        named = [int(each) for each in told.split(",")]
    except ValueError:
        raise Undecodable(f"{recorded.cursor} has a header ce-previous that names no positions") from None
    return [at if at > 0 else recorded.position + at for at in named if at]


def _last_in(refused: ApiError) -> int:
    """JetStream says `wrong last sequence: 17`."""
    number = refused.description.rpartition(": ")[2]
    return int(number) if number.isdigit() else 0
