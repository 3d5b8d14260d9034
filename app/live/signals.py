"""Signals on `LIVE` as those who follow a topic are told of them: `live.<topic>.<id>.<signal>`."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from app.live.messages import Message, Signalled, message
from app.live.topics import Address, Topic

LARGEST = 64 << 10
"""Bytes; what is larger is no signal."""


def address_of(topics: Mapping[str, Topic], subject: str) -> tuple[Address, str] | None:
    """Whom a signal concerns, and what it is called; None for what is not for clients, such as heartbeats.

    Where a topic has no ids, neither is it for its followers how far a handler is with one of its things.

    `live.sessions.<id>.progress.index`, or without an id `live.alerts.count`, is called `progress.index` or `count`.
    """
    _, name, *rest = subject.split(".")
    topic = topics.get(name)
    if topic is None:
        return None
    if not topic.has_ids:
        return None if "progress" in rest[1:] else (Address(topic), ".".join(rest))
    id = rest.pop(0) if rest else ""
    return Address(topic, id), ".".join(rest)


def signalled(address: str, signal: str, payload: bytes, about: str | UnsetType = UNSET) -> Message | None:
    """The message, or None when the payload is no JSON or too large."""
    if len(payload) > LARGEST:
        return None
    try:
        data = msgspec.json.decode(payload) if payload else None
        return message(Signalled(topic=address, signal=signal, data=data, id=about))
    except (ValueError, RecursionError):
        return None
