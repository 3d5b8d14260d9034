"""What happens in conversations with a model."""

from events.chat.answer import (
    ANSWER_EVENTS,
    AnswerAnswered,
    AnswerAsked,
    AnswerDeleted,
    AnswerEvent,
    AnswerFailed,
    AnswerScope,
    Reference,
)
from events.chat.project import (
    PROJECT_EVENTS,
    Asked,
    BranchShown,
    Citation,
    Manner,
    MessageSent,
    Outcome,
    ProjectConfigured,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectRenamed,
    ProjectTitled,
    ReplyEnded,
    ReplyRequested,
)
from events.chat.reply import REPLY_EVENTS, ReplyDeleted, ReplyEvent, ReplyWritten, SourceUsed

CHAT_EVENTS = (*PROJECT_EVENTS, *ANSWER_EVENTS, *REPLY_EVENTS)

__all__ = [
    "ANSWER_EVENTS",
    "CHAT_EVENTS",
    "PROJECT_EVENTS",
    "REPLY_EVENTS",
    "AnswerAnswered",
    "AnswerAsked",
    "AnswerDeleted",
    "AnswerEvent",
    "AnswerFailed",
    "AnswerScope",
    "Asked",
    "BranchShown",
    "Citation",
    "Manner",
    "MessageSent",
    "Outcome",
    "ProjectConfigured",
    "ProjectCreated",
    "ProjectDeleted",
    "ProjectEvent",
    "ProjectRenamed",
    "ProjectTitled",
    "Reference",
    "ReplyDeleted",
    "ReplyEnded",
    "ReplyEvent",
    "ReplyRequested",
    "ReplyWritten",
    "SourceUsed",
]
