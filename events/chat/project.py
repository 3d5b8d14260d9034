"""What happens in a conversation: messages are sent, replies are made, branches are shown."""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from events.envelope import Event

Outcome = Literal["completed", "stopped", "failed"]


class Manner(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How replies are made."""

    model: str | None = None
    """None: the one that is set for all."""
    instructions: str = ""
    """What the model is told before everything else."""
    collections: tuple[UUID, ...] = ()
    jobs: tuple[UUID, ...] = ()
    """Sources: with any, replies are found in them and cite them."""

    @property
    def contexts(self) -> tuple[str, ...]:
        """Where its sources are."""
        return (*(["knowledge"] if self.collections else []), *(["jobsite"] if self.jobs else []))


class Citation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where something that a reply says was found."""

    marker: int
    """`[1]` in the text."""
    kind: str
    source_id: UUID
    n: int
    """Which passage of the source."""
    title: str
    quote: str
    start_char: int | None = None
    end_char: int | None = None
    start: float | None = None
    """Seconds, in a recording."""
    end: float | None = None
    page: int | None = None


class ProjectEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "chat"
    aggregate: ClassVar[str] = "project"
    project_id: UUID


class ProjectCreated(ProjectEvent, frozen=True, kw_only=True):
    """There is a conversation."""

    title: str
    titled: bool = False
    """Whether somebody has named it; else it is named after its first message."""
    manner: Manner = Manner()


class ProjectRenamed(ProjectEvent, frozen=True, kw_only=True):
    """Somebody has given it a name."""

    title: str


class ProjectTitled(ProjectEvent, frozen=True, kw_only=True):
    """It was named after what it began with."""

    title: str


class ProjectConfigured(ProjectEvent, frozen=True, kw_only=True):
    """Replies are made in another manner from now on."""

    manner: Manner


class Asked(ProjectEvent, frozen=True, kw_only=True):
    """A reply is wanted. Says all that the next decision needs: nothing before it has to be read."""

    reply_id: UUID
    message_id: UUID
    """What is replied to."""
    manner: Manner = Manner()
    titled: bool = False
    """Whether the conversation has a name of its own already."""
    messages: int
    """How many there are, with this one."""


class MessageSent(Asked, frozen=True, kw_only=True):
    """Somebody has written something, and a reply to it is wanted."""

    content: str
    parent_id: UUID | None = None
    """The reply that it follows; None at the beginning of a branch."""


class ReplyRequested(Asked, frozen=True, kw_only=True):
    """Another reply to the same message is wanted."""

    before: UUID | None = None
    """The last message that was shown until then. It is shown again where the new reply says nothing."""


class ReplyEnded(ProjectEvent, frozen=True, kw_only=True):
    """Nothing is added to a reply any more."""

    reply_id: UUID
    message_id: UUID
    outcome: Outcome
    content: str
    """All of it; what had come until then, if it was stopped or has failed."""
    messages: int
    titled: bool = False
    model: str | None = None
    digest: str | None = None
    """Of the model's weights, where its server tells."""
    cut: bool = False
    """The model would have gone on, but was allowed no more."""
    method: str = "generated"
    """With sources: `generated`, `extractive`, or `none` when they do not answer."""
    citations: tuple[Citation, ...] = ()
    """Where quotes stand. Their words, and titles, are in `ReplyWritten`."""
    apart: bool = False
    """What it says may repeat sources, so it is in `ReplyWritten`, and not here."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    context_messages: int | None = None
    """How many messages the model was shown."""
    attempts: int = 1
    code: str | None = None
    detail: str | None = None
    """Why it failed."""


class BranchShown(ProjectEvent, frozen=True, kw_only=True):
    """The conversation is shown up to this message, and goes on there."""

    leaf_id: UUID


class ProjectDeleted(ProjectEvent, frozen=True, kw_only=True):
    """The conversation is gone, for good."""


PROJECT_EVENTS = (
    ProjectCreated,
    ProjectRenamed,
    ProjectTitled,
    ProjectConfigured,
    MessageSent,
    ReplyRequested,
    ReplyEnded,
    BranchShown,
    ProjectDeleted,
)
