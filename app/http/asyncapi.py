"""The AsyncAPI 3.0 description of what the server sends by itself and what it is sent on the same socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.http.schemas import Schema, Schemas


@dataclass(frozen=True)
class Message:
    """One kind of message: its name, e.g. `jobsite.session.transcribed`, and the struct that it carries."""

    name: str
    payload: Any
    summary: str = ""
    headers: Any = None
    """A struct of the headers that go with it, where there are any."""


@dataclass(frozen=True)
class Channel:
    """Messages under one address, e.g. `sessions:{sessionId}`, and who sends them."""

    name: str
    """Letters and digits only: it becomes part of references."""
    address: str
    description: str
    messages: tuple[Message, ...]
    action: Literal["send", "receive"] = "send"
    """What the server does."""


def asyncapi(channels: Sequence[Channel], *, title: str, version: str, description: str) -> Schema:
    """The whole document. Messages of the same name are one, however many channels carry them.

    Raises `ValueError` when two channels have the same name: one would hide the other.
    """
    if len({each.name for each in channels}) < len(channels):
        raise ValueError(f"channels share a name: {sorted(each.name for each in channels)}")
    messages = {each.name: each for channel in channels for each in channel.messages}
    shapes = [
        shape for each in messages.values() for shape in (each.payload, each.headers) if shape is not None
    ]
    schemas = Schemas(shapes)
    described = {name: _message(each, schemas) for name, each in sorted(messages.items())}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": description},
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each) for each in channels},
        "operations": {f"{each.action}_{each.name}": _operation(each) for each in channels},
        "components": {"messages": described, "schemas": schemas.used_in(described)},
    }


def _message(message: Message, schemas: Schemas) -> Schema:
    described: Schema = {"name": message.name, "title": message.name, "payload": schemas[message.payload]}
    if message.summary:
        described["summary"] = message.summary
    if message.headers is not None:
        described["headers"] = schemas[message.headers]
    return described


def _channel(channel: Channel) -> Schema:
    described: Schema = {
        "address": channel.address,
        "description": channel.description,
        "messages": {each.name: {"$ref": f"#/components/messages/{each.name}"} for each in channel.messages},
    }
    names = [part.partition("}")[0] for part in channel.address.split("{")[1:]]
    if names:
        described["parameters"] = {name: {} for name in names}
    return described


def _operation(channel: Channel) -> Schema:
    place = f"#/channels/{channel.name}"
    return {
        "action": channel.action,
        "channel": {"$ref": place},
        "messages": [{"$ref": f"{place}/messages/{each.name}"} for each in channel.messages],
    }
