"""The socket of projects as `/asyncapi.json` describes it."""

from typing import Any

from app.chat.messages import ASKED, SAID
from app.http.asyncapi import Channel, Message


def channels() -> tuple[Channel, ...]:
    """What clients say in a project, and what they are told."""
    return (
        Channel(
            "chatRequests", "/v1/ws/chat?projectId={projectId}", "What clients say in a project.",
            tuple(map(_message, ASKED)), action="receive",
        ),
        Channel(
            "chat", "/v1/ws/chat?projectId={projectId}", "What is told in a project.", tuple(map(_message, SAID))
        ),
    )  # fmt: skip


def _message(kind: type[Any]) -> Message:
    return Message(f"chat.{kind.__struct_config__.tag}", kind, (kind.__doc__ or "").partition("\n")[0])
