"""What can be followed of conversations as it happens."""

from collections.abc import Iterable
from typing import Any

import msgspec

from app.live.topics import Topic
from events.chat import ProjectEvent, ReplyDeleted
from events.envelope import Recorded
from infra.replies import Told


def _project(recorded: Recorded[Any]) -> Iterable[str]:
    return (str(recorded.event.project_id),)


def _apart(signal: str, payload: bytes) -> bool:
    """Pieces of a reply that may repeat sources: the socket of the project tells them, to whoever may read those."""
    try:
        return signal.startswith("reply.") and msgspec.json.decode(payload, type=Told).apart
    except msgspec.DecodeError:
        return False


PROJECTS = Topic(
    name="projects",
    stream="CHAT",
    scope="chat:read",
    events=(ProjectEvent, ReplyDeleted),
    filters=lambda id: (f"chat.project.{id}.>", "chat.reply.*.deleted"),
    of=_project,
    withholds=_apart,
    about="Everything that happens in one project; its replies as they are made are signals, "
    "unless they are from sources.",
)

TOPICS = (PROJECTS,)
