"""What happens in conversations with a model."""

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

CHAT_EVENTS = (*PROJECT_EVENTS,)

__all__ = [
    "CHAT_EVENTS",
    "PROJECT_EVENTS",
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
    "ReplyEnded",
    "ReplyRequested",
]
