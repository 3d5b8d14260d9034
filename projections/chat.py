"""The read model of `chat`."""

from collections.abc import Iterator
from typing import Any

from events.chat import AnswerAnswered, AnswerEvent, ProjectEvent, ReplyEvent, ReplyWritten
from events.envelope import Event, Recorded
from infra.retrieval.saved import SavedAnswer, SavedReply
from projections import chat_answers, chat_projects, chat_replies
from projections.changes import Change
from projections.projection import Projection


def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    """What an event of `chat` does to the tables."""
    match recorded.event:
        case ProjectEvent():
            yield from chat_projects.rows(recorded)
        case ReplyEvent():
            yield from chat_replies.rows(recorded, content)
        case AnswerEvent():
            yield from chat_answers.rows(recorded, content)


def blob(event: Event) -> str | None:
    return event.blob if isinstance(event, AnswerAnswered | ReplyWritten) else None


def content(event: Event, data: bytes) -> SavedAnswer | SavedReply:
    return SavedReply.decode(data) if isinstance(event, ReplyWritten) else SavedAnswer.decode(data)


TABLES = (*chat_projects.TABLES, *chat_replies.TABLES, *chat_answers.TABLES)
CHAT = Projection("chat", 1, "CHAT", TABLES, rows, blob=blob, content=content)
