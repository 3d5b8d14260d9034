"""Topics: what a client can follow, and which events belong to it. A context adds its own as data."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from app.http.queries import printable
from events.envelope import Event, Recorded
from handlers.refusals import Invalid

NARROWEST = 100
"""Ids in one filter."""
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A family of addresses such as `sessions:<id>`, or a single one such as `alerts`."""

    name: str
    stream: str
    """Where its events are."""
    scope: str
    """What a key must hold to follow it."""
    events: tuple[type[Event], ...]
    """The classes of its events, with subclasses. Where something can be deleted, `deleted` should be among them: it
    tells who comes back that something may be missing."""
    filters: Callable[[str], tuple[str, ...]]
    """From an id to the subjects that hold its past. They may hold other events as well: one filter that says much is
    faster than several that say little, and `>` is the fastest."""
    of: Callable[[Recorded[Any]], Iterable[str]]
    """The ids that one of its events belongs to; `("",)` where there are no ids."""
    has_ids: bool = True
    hears: str | None = None
    """The topic whose signals its followers are told of too, each with the id of what it is about."""
    withholds: Callable[[str, bytes], bool] = lambda *_: False
    """Signals, by name and payload, that not everybody may hear who holds the scope."""
    narrowing: Mapping[str, Callable[[Recorded[Any]], Iterable[str]]] = field(default_factory=dict)
    """Filters that a subscription may set, by name: from an event to the ids that it belongs to."""
    about: str = ""


class Address(NamedTuple):
    """What one subscription follows: `sessions:0199…`, or `alerts`."""

    topic: Topic
    id: str = ""
    only: tuple[tuple[str, frozenset[str]], ...] = ()
    """Filters: of its events, those that belong to one of these ids."""

    def wants(self, recorded: Recorded[Event]) -> bool:
        """Whether an event passes the filters."""
        return all(not ids.isdisjoint(self.topic.narrowing[name](recorded)) for name, ids in self.only)

    def __str__(self) -> str:
        return f"{self.topic.name}:{self.id}" if self.id else self.topic.name

    @property
    def filters(self) -> tuple[str, ...]:
        return self.topic.filters(self.id)


def addresses_of(topics: Iterable[Topic], recorded: Recorded[Event]) -> tuple[str, ...]:
    """The addresses, as text, of everybody whom an event concerns."""
    return tuple(
        str(Address(topic, id))
        for topic in topics
        if isinstance(recorded.event, topic.events)
        for id in topic.of(recorded)
    )


def find(topics: Mapping[str, Topic], text: str) -> Address:
    """The address that a client means. Raises `Invalid`."""
    name, colon, id = text.partition(":")
    topic = topics.get(name)
    if topic is None:
        raise Invalid("UNKNOWN_TOPIC", f"There is no topic {printable(text)}; there are {_offered(topics)}.")
    if not topic.has_ids:
        if colon:
            raise Invalid("INVALID_TOPIC", f"{name} takes no id.")
        return Address(topic)
    if not _UUID.fullmatch(id):
        raise Invalid("INVALID_TOPIC", f"{name} takes the id of what to follow: {name}:<uuid>.")
    return Address(topic, str(UUID(id)))


def narrowed(addresses: Sequence[Address], filter: Mapping[str, Sequence[str]]) -> list[Address]:
    """The addresses with these filters, each where its topic knows it. Raises `Invalid`."""
    for name, ids in filter.items():
        if not any(name in each.topic.narrowing for each in addresses):
            raise Invalid("UNKNOWN_FILTER", f"None of these topics knows the filter {printable(name)}.")
        if not 0 < len(ids) <= NARROWEST or not all(map(_UUID.fullmatch, ids)):
            raise Invalid("INVALID_FILTER", f"{name} takes 1 to {NARROWEST} ids.", field=name)
    return [
        each._replace(
            only=tuple(
                (name, frozenset(str(UUID(id)) for id in ids))
                for name, ids in filter.items()
                if name in each.topic.narrowing
            )
        )
        for each in addresses
    ]


def _offered(topics: Mapping[str, Topic]) -> str:
    return ", ".join(f"{name}:<id>" if topic.has_ids else name for name, topic in sorted(topics.items()))
