"""Topics and their messages as `/asyncapi.json` describes them."""

from collections.abc import Iterable
from typing import Any

from app.http.asyncapi import Channel, Message
from app.live.messages import (
    Asked,
    Gap,
    Happened,
    Mistake,
    Ping,
    Pong,
    Said,
    Signalled,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
)
from app.live.topics import Topic
from events.catalogue import Catalogue
from events.envelope import Event

REQUESTS: tuple[type[Asked], ...] = (Subscribe, Unsubscribe, Ping)
ANSWERS: tuple[type[Said], ...] = (Subscribed, Unsubscribed, Gap, Signalled, Pong, Mistake)

CLOSED = (
    "The socket is closed with 4408 when its client is too slow or silent, and with 1001 when the server stops, both "
    "with the cursor from which to come back as their reason; with 4401 when the key is no longer good, and with 1008 "
    "after too many mistakes."
)


def channels(topics: Iterable[Topic], catalogue: Catalogue) -> tuple[Channel, ...]:
    """What clients send, what they are answered on any topic, and the events of each topic."""
    return (
        Channel("requests", "/v1/ws", "What clients send.", tuple(map(_message, REQUESTS)), action="receive"),
        Channel("told", "/v1/ws", f"What comes beside events. {CLOSED}", tuple(map(_message, ANSWERS))),
        *(_topic(each, catalogue) for each in topics),
    )


def _topic(topic: Topic, catalogue: Catalogue) -> Channel:
    events = (each for each in _newest(catalogue) if issubclass(each, topic.events))
    name, *more = topic.name.split("-")
    return Channel(
        name + "".join(each.capitalize() for each in more),
        f"{topic.name}:{{id}}" if topic.has_ids else topic.name,
        f"{topic.about} Needs the scope `{topic.scope}`.",
        tuple(Message(each.type(), Happened[each], _first_line(each)) for each in events),  # type: ignore[valid-type]
    )


def _newest(catalogue: Catalogue) -> list[type[Event]]:
    """Events are told in their newest version."""
    newest: dict[tuple[str, str, str], type[Event]] = {}
    for each in sorted(catalogue.types.values(), key=lambda event: event.version):
        newest[each.context, each.aggregate, each.name] = each
    return sorted(newest.values(), key=lambda event: event.type())


def _message(kind: type[Any]) -> Message:
    return Message(kind.__struct_config__.tag, kind, _first_line(kind))


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
