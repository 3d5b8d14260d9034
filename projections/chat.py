"""The read model of `chat`."""

from collections.abc import Iterator
from typing import Any

from events.chat import ProjectEvent
from events.envelope import Recorded
from projections import chat_projects
from projections.changes import Change
from projections.projection import Projection


def rows(recorded: Recorded[Any], _: None) -> Iterator[Change]:
    """What an event of `chat` does to the tables."""
    if isinstance(recorded.event, ProjectEvent):
        yield from chat_projects.rows(recorded)


CHAT = Projection("chat", 1, "CHAT", (*chat_projects.TABLES,), rows)
