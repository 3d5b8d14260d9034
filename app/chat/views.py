"""What `chat` answers about projects, as the structs that OpenAPI shows."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from app.search.sources import MomentView
from events.chat import Citation

Role = Literal["user", "assistant"]
Status = Literal["processing", "completed", "stopped", "failed", "withdrawn"]
"""`withdrawn`: something that a reply was made from was deleted, and its words with it."""


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class ProjectSummary(_View, frozen=True, kw_only=True):
    id: UUID
    title: str
    message_count: int
    created_at: datetime
    updated_at: datetime


class Projects(_View, frozen=True, kw_only=True):
    """Projects, those that changed last first."""

    projects: tuple[ProjectSummary, ...]
    next_cursor: str | None = None


class CodeBlockView(_View, frozen=True, kw_only=True):
    """Code in a message; lines are counted from 1, and both belong to it."""

    language: str
    code: str
    start_line: int
    end_line: int


class Fault(_View, frozen=True, kw_only=True):
    code: str
    detail: str


class UsageView(_View, frozen=True, kw_only=True):
    """What a reply has cost, in tokens, where the model's server tells."""

    prompt_tokens: int | None
    completion_tokens: int | None
    context_messages: int | None
    """How many messages the model was shown."""


class CitedView(Citation, frozen=True, kw_only=True):
    """Where something that a reply says stands."""

    moment: MomentView | None = None
    """In a recording: what is said there, and when."""
    url: str | None = None
    """Plays the recording from that moment, or opens the original at the page; for a while."""


class MessageView(_View, frozen=True, kw_only=True):
    id: UUID
    role: Role
    content: str
    code_blocks: tuple[CodeBlockView, ...]
    created_at: datetime
    parent_id: UUID | None
    siblings: tuple[UUID, ...] = ()
    """All messages in the same place of the tree, this one too, oldest first."""
    status: Status = "completed"
    attempts: int = 0
    model: str | None = None
    cut: bool = False
    """The model would have gone on, but was allowed no more."""
    method: str | None = None
    citations: tuple[CitedView, ...] = ()
    usage: UsageView | None = None
    error: Fault | None = None


class ProjectView(ProjectSummary, frozen=True, kw_only=True):
    """A project with the messages of the shown branch, oldest first."""

    messages: tuple[MessageView, ...]
    running: UUID | None
    """The reply that is being made; it is told on the socket, and is among the messages once it has ended."""
    leaf: UUID | None
    """The last message of the shown branch."""
    failed: Fault | None
    """Why the shown branch ends without a reply, when one was tried: `leaf` is it, and it says nothing."""
    model: str | None
    instructions: str
    collections: tuple[UUID, ...]
    jobs: tuple[UUID, ...]
    position: str


class Sent(_View, frozen=True, kw_only=True):
    """The message is safe, and the reply on its way."""

    message_id: UUID
    reply_id: UUID
    position: str


class Exported(_View, frozen=True, kw_only=True):
    """All of a project: every message of every branch."""

    project: ProjectSummary
    leaf: UUID | None
    messages: tuple[MessageView, ...]


class ModelView(_View, frozen=True, kw_only=True):
    id: str
    """What a project names as its model."""
    name: str
    provider: str
    default: bool
    context_tokens: int | None = None
    digest: str | None = None


class Models(_View, frozen=True, kw_only=True):
    """Models that can be asked; none where no model server is configured."""

    items: tuple[ModelView, ...]
    default: str | None
    detail: str | None = None
    """What to set, where there is none."""
    next_cursor: str | None = None
