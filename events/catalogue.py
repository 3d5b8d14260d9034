"""Every type of event there is: how it is written, read, and lifted from older versions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from events.envelope import Event, Recorded, check, subject_of

Old = TypeVar("Old", bound=Event)
New = TypeVar("New", bound=Event)


class Undecodable(ValueError):
    """A message in the log that this version cannot read: unknown type, broken payload or envelope."""

    subject: str | None = None
    """Where it is stored, as far as that is known."""


@dataclass(frozen=True)
class Upcast(Generic[Old, New]):
    """How an event of one version becomes the next: `Upcast(Transcribed, TranscribedV2, lift)`."""

    old: type[Old]
    new: type[New]
    lift: Callable[[Old], New]


class Catalogue:
    """The types of a set of contexts. Built once at start; raises `ValueError` when they contradict each other."""

    def __init__(self, types: Iterable[type[Event]], upcasts: Iterable[Upcast[Any, Any]] = ()) -> None:
        self._types: dict[str, type[Event]] = {}
        for each in types:
            if self._types.setdefault(each.type(), each) is not each:
                raise ValueError(f"two events are called {each.type()}")
        self._lifts: dict[type[Event], Callable[[Any], Event]] = {}
        for upcast in upcasts:
            self._check(upcast)
            self._lifts[upcast.old] = upcast.lift
        self._decoders = {name: msgspec.json.Decoder(each) for name, each in self._types.items()}
        self._encode = msgspec.json.Encoder().encode

    @property
    def types(self) -> Mapping[str, type[Event]]:
        return self._types

    @property
    def contexts(self) -> tuple[str, ...]:
        return tuple(sorted({each.context for each in self._types.values()}))

    def _check(self, upcast: Upcast[Any, Any]) -> None:
        old, new = upcast.old, upcast.new
        if not {old, new} <= set(self._types.values()):
            raise ValueError(f"{old.__name__} or {new.__name__} is not in the catalogue")
        if old in self._lifts:
            raise ValueError(f"two upcasts lift {old.type()}")
        if new.name != old.name or new.version <= old.version:
            raise ValueError(f"{new.type()} is no later version of {old.type()}")

    def encode(self, event: Event) -> bytes:
        """The payload: plain camelCase JSON of the event alone.

        Raises `ValueError` for what could not be read again, such as a NaN: the log would keep it for ever.
        """
        if self._types.get(event.type()) is not type(event):
            raise ValueError(f"{type(event).__name__} is not in the catalogue")
        payload = self._encode(event)
        self._decoders[event.type()].decode(payload)
        return payload

    def decode(self, type_name: str, payload: bytes) -> Event:
        """The event in its newest version. Raises `Undecodable`."""
        decoder = self._decoders.get(type_name)
        if decoder is None:
            raise Undecodable(f"no event is called {type_name!r} here")
        try:
            event = decoder.decode(payload)
            while lift := self._lifts.get(type(event)):
                event = lift(event)
        except Exception as error:  # whatever a payload that nobody expected makes of a decoder or an upcast
            raise Undecodable(f"{type_name}: {error}") from error
        return event

    def read(
        self,
        *,
        headers: Mapping[str, str] | None,
        payload: bytes,
        stream: str,
        position: int,
        subject: str | None = None,
    ) -> Recorded[Event]:
        """A message of the log as a recorded event. Raises `Undecodable`, also when it is not where it belongs."""
        headers = {} if headers is None else headers
        try:
            try:
                check(headers)
            except ValueError as malformed:
                raise Undecodable(f"{stream}@{position} {malformed}") from malformed
            event = self.decode(headers["ce-type"], payload)
            if subject is not None and subject != subject_of(event):
                raise Undecodable(f"{stream}@{position} is stored as {subject} but says {subject_of(event)}")
        except Undecodable as unreadable:
            unreadable.subject = subject
            raise
        return Recorded(event, headers, stream, position)
