"""Every type of event there is: how it is written, read, and lifted from older versions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from events.envelope import REQUIRED, Event, Recorded

Old = TypeVar("Old", bound=Event)
New = TypeVar("New", bound=Event)


class Undecodable(ValueError):
    """A message in the log that this version cannot read: unknown type, broken payload or envelope."""


@dataclass(frozen=True)
class Upcast(Generic[Old, New]):
    """How an event of one version becomes the next: `Upcast(Transcribed, TranscribedV2, lift)`."""

    old: type[Old]
    new: type[New]
    lift: Callable[[Old], New]


class Catalogue:
    """The types of a set of contexts. Built once at start; raises `ValueError` when two claim one name."""

    def __init__(self, types: Iterable[type[Event]], upcasts: Iterable[Upcast[Any, Any]] = ()) -> None:
        self._types: dict[str, type[Event]] = {}
        for each in types:
            if self._types.setdefault(each.type(), each) is not each:
                raise ValueError(f"two events are called {each.type()}")
        self._lifts = {upcast.old: upcast.lift for upcast in upcasts}
        self._decoders = {name: msgspec.json.Decoder(each) for name, each in self._types.items()}
        self._encode = msgspec.json.Encoder().encode

    @property
    def types(self) -> Mapping[str, type[Event]]:
        return self._types

    @property
    def contexts(self) -> tuple[str, ...]:
        return tuple(sorted({each.context for each in self._types.values()}))

    def encode(self, event: Event) -> bytes:
        """The payload: plain camelCase JSON of the event alone."""
        if self._types.get(event.type()) is not type(event):
            raise ValueError(f"{type(event).__name__} is not in the catalogue")
        return self._encode(event)

    def decode(self, type_name: str, payload: bytes) -> Event:
        """The event in its newest version. Raises `Undecodable`."""
        try:
            event = self._decoders[type_name].decode(payload)
        except KeyError:
            raise Undecodable(f"no event is called {type_name!r} here") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Undecodable(f"{type_name}: {error}") from error
        while lift := self._lifts.get(type(event)):
            event = lift(event)
        return event

    def read(
        self, *, headers: Mapping[str, str] | None, payload: bytes, stream: str, position: int
    ) -> Recorded[Event]:
        """A message of the log as a recorded event. Raises `Undecodable`."""
        headers = headers or {}
        if missing := [name for name in REQUIRED if name not in headers]:
            raise Undecodable(f"{stream}@{position} lacks the headers {', '.join(missing)}")
        return Recorded(self.decode(headers["ce-type"], payload), headers, stream, position)
