"""The read model of `chat`."""

from collections.abc import Iterator
from typing import Any

from events.chat import AnswerAnswered, AnswerEvent, ProjectEvent
from events.envelope import Event, Recorded
from infra.retrieval.saved import SavedAnswer
from projections import chat_answers, chat_projects
from projections.changes import Change
from projections.projection import Projection


def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    """What an event of `chat` does to the tables."""
    if isinstance(recorded.event, ProjectEvent):
        yield from chat_projects.rows(recorded)
    if isinstance(recorded.event, AnswerEvent):
        yield from chat_answers.rows(recorded, content)


def blob(event: Event) -> str | None:
    return event.blob if isinstance(event, AnswerAnswered) else None


def content(_: Event, data: bytes) -> SavedAnswer:
    return SavedAnswer.decode(data)


TABLES = (*chat_projects.TABLES, *chat_answers.TABLES)
CHAT = Projection("chat", 1, "CHAT", TABLES, rows, blob=blob, content=content)
