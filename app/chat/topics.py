"""What can be followed of conversations as it happens."""

from collections.abc import Iterable
from typing import Any

from app.live.topics import Topic
from events.chat import ProjectEvent
from events.envelope import Recorded


def _project(recorded: Recorded[Any]) -> Iterable[str]:
    return (str(recorded.event.project_id),)


PROJECTS = Topic(
    name="projects",
    stream="CHAT",
    scope="chat:read",
    events=(ProjectEvent,),
    filters=lambda id: (f"chat.project.{id}.>",),
    of=_project,
    about="Everything that happens in one project; its replies as they are made are signals.",
)

TOPICS = (PROJECTS,)
