"""What is said on a live connection, in both directions."""

from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from app.http.positions import Position
from events.envelope import Recorded

E = TypeVar("E")


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """A message of the server."""


class Subscribed(Said, frozen=True, kw_only=True, tag="subscribed"):
    """What comes behind the cursor follows: first what was missed, then what happens."""

    topic: str
    cursor: str


class Unsubscribed(Said, frozen=True, kw_only=True, tag="unsubscribed"):
    """Nothing more of this topic follows."""

    topic: str


class Happened(Said, Generic[E], frozen=True, kw_only=True, tag="event"):
    """An event whose effect can be read now. Come back with `from=<cursor>` for what follows it."""

    topic: str
    cursor: str
    event: str
    """Its type, such as `jobsite.session.transcribed`."""
    id: str
    at: str
    data: E


class Signalled(Said, frozen=True, kw_only=True, tag="signal"):
    """Something that matters only now, such as progress; it may be left out, and is not told again."""

    topic: str
    signal: str
    data: Any
    id: str | msgspec.UnsetType = msgspec.UNSET
    """What it is about, where the topic is about all of its kind."""


class Gap(Said, frozen=True, kw_only=True, tag="gap"):
    """What happened between `from` and `cursor` is not told, or not in full: read it anew. Then it goes on."""

    topic: str
    since: str = msgspec.field(name="from")
    cursor: str
    code: str
    detail: str


class Pong(Said, frozen=True, kw_only=True, tag="pong"):
    """The answer to a ping."""


class Mistake(Said, frozen=True, kw_only=True, tag="error"):
    """A message of the client that could not be followed; the connection stays."""

    code: str
    detail: str
    topic: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag_field="action"):
    """A message of a client."""


class Subscribe(Asked, frozen=True, kw_only=True, tag="subscribe"):
    """Follow a topic, from behind a cursor or from now on."""

    topic: str
    since: str | None = msgspec.field(default=None, name="from")
    filter: dict[str, list[str]] = {}
    """Only what belongs to one of these ids, where the topic knows such a filter: `{"jobIds": [...]}`."""


class Unsubscribe(Asked, frozen=True, kw_only=True, tag="unsubscribe"):
    """Follow a topic no longer."""

    topic: str


class Ping(Asked, frozen=True, kw_only=True, tag="ping"):
    """Is anybody there?"""


Request: TypeAlias = Subscribe | Unsubscribe | Ping


PROBE = "probe"
ECHO = "echo"
"""Types of messages below those of the protocol: a ping or a heartbeat, and the answer to a client's ping."""


class Message(NamedTuple):
    """A message on its way: JSON, and what belongs to a place in the log says to which."""

    type: str
    payload: bytes
    position: Position | None = None


_encode = msgspec.json.Encoder().encode


def message(said: Said, position: Position | None = None) -> Message:
    """Encode it, once for all who get it."""
    return Message(str(type(said).__struct_config__.tag), _encode(said), position)


def happened(topic: str, recorded: Recorded[Any]) -> Message:
    """An event as those who follow this topic are told of it."""
    said = Happened(
        topic=topic,
        cursor=recorded.cursor,
        event=recorded.event.type(),
        id=recorded.headers["ce-id"],
        at=recorded.headers["ce-time"],
        data=recorded.event,
    )
    return message(said, Position(recorded.stream, recorded.position))
