"""What can be wanted of a conversation."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from events.chat import Citation, Manner, Outcome
from handlers.commands import Command


class CreateProject(Command, frozen=True, kw_only=True):
    project_id: UUID
    title: str | None
    """None: named after its first message."""
    manner: Manner = Manner()


class RenameProject(Command, frozen=True, kw_only=True):
    project_id: UUID
    title: str


class TitleProject(Command, frozen=True, kw_only=True):
    """Name it after what it began with, unless somebody has named it."""

    project_id: UUID
    title: str


class ConfigureProject(Command, frozen=True, kw_only=True):
    """Change how replies are made; what is not given stays."""

    project_id: UUID
    model: str | UnsetType | None = UNSET
    instructions: str | UnsetType = UNSET
    collections: tuple[UUID, ...] | UnsetType = UNSET
    jobs: tuple[UUID, ...] | UnsetType = UNSET


class SendMessage(Command, frozen=True, kw_only=True):
    """Write something. Whether the parent is there was looked up before: messages never go, so it still is."""

    project_id: UUID
    message_id: UUID
    reply_id: UUID
    content: str
    parent_id: UUID | None = None
    at_leaf: bool = True
    """Behind what is shown; else behind `parent_id`, or at the very beginning."""
    contexts: tuple[str, ...] = ()
    """Whose sources the sender may read."""


class RequestReply(Command, frozen=True, kw_only=True):
    """Have a message replied to once more. Whether it is there was looked up before."""

    project_id: UUID
    reply_id: UUID
    message_id: UUID
    contexts: tuple[str, ...] = ()
    """Whose sources the sender may read."""


class EndReply(Command, frozen=True, kw_only=True):
    project_id: UUID
    reply_id: UUID
    outcome: Outcome
    content: str
    model: str | None = None
    digest: str | None = None
    cut: bool = False
    method: str = "generated"
    citations: tuple[Citation, ...] = ()
    apart: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    context_messages: int | None = None
    attempts: int = 1
    code: str | None = None
    detail: str | None = None


class ShowBranch(Command, frozen=True, kw_only=True):
    """Show the conversation up to a message. Whether it is there was looked up before."""

    project_id: UUID
    leaf_id: UUID


class DeleteProject(Command, frozen=True, kw_only=True):
    project_id: UUID


ProjectCommand = (
    CreateProject
    | RenameProject
    | TitleProject
    | ConfigureProject
    | SendMessage
    | RequestReply
    | EndReply
    | ShowBranch
    | DeleteProject
)
COMMANDS = (
    CreateProject,
    RenameProject,
    TitleProject,
    ConfigureProject,
    SendMessage,
    RequestReply,
    EndReply,
    ShowBranch,
    DeleteProject,
)
