"""What `chat` is asked about projects over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.chat.messages import Content

EVERYTHING = 1_000_000
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Model = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Instructions = Annotated[str, msgspec.Meta(max_length=20_000)]
Jobs = Annotated[tuple[UUID, ...], msgspec.Meta(max_length=50)]
Collections = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...], msgspec.Meta(max_length=50)
]
"""By name or id."""


class NewProject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A project. Without a title it is named after its first message."""

    title: Title | None = None
    model: Model | None = None
    instructions: Instructions = ""
    collections: Collections = ()
    """By name or id."""
    jobs: Jobs = ()
    """Sources: replies are found in them, and cite them."""


class ChangedProject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be different; the rest stays."""

    title: Title | UnsetType = UNSET
    model: Model | UnsetType | None = UNSET
    instructions: Instructions | UnsetType = UNSET
    collections: Collections | UnsetType = UNSET
    """By name or id; none: replies are not found there any more."""
    jobs: Jobs | UnsetType = UNSET
    shown: UUID | UnsetType = UNSET
    """Show the newest branch that goes through this message."""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Something to say; `edits` says it beside a message that was sent, `parentId` behind a reply."""

    content: Content
    parent_id: UUID | UnsetType | None = UNSET
    edits: UUID | None = None


class Again(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which reply, or which message; without it, the last one that is shown."""

    message_id: UUID | None = None


class ProjectsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which projects to list, those that changed last first."""

    query: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    """Looked for in titles and in what was said."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 200
    cursor: str | None = None


class ProjectQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How much of it to show."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=EVERYTHING)] = EVERYTHING
    """The last messages of the shown branch."""


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """As what."""

    format: Literal["markdown", "json"] = "markdown"
    """`markdown`: the shown branch, to read; `json`: every message of every branch."""
