"""Signals on `LIVE` as those who follow a topic are told of them: `live.<topic>.<id>.<signal>`."""

import msgspec

from app.live.messages import Message, Signalled, message
from app.live.topics import Address, Topic

LARGEST = 64 << 10
"""Bytes; what is larger is no signal."""


def address_of(topic: Topic, subject: str) -> tuple[str, str]:
    """Whom a signal concerns, and what it is called: `progress.transcribe`. Topics without ids have one token less."""
    tokens = subject.split(".")
    named = 3 if topic.has_ids else 2
    return str(Address(topic, tokens[2] if topic.has_ids else "")), ".".join(tokens[named:])


def signalled(address: str, signal: str, payload: bytes) -> Message | None:
    """The message, or None when the payload is no JSON or too large."""
    if len(payload) > LARGEST:
        return None
    try:
        data = msgspec.json.decode(payload) if payload else None
        return message(Signalled(topic=address, signal=signal, data=data))
    except (ValueError, RecursionError):
        return None
