"""What is said on the socket of a project, in both directions."""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.chat.views import CitedView, UsageView
from app.http.positions import Position
from app.live.messages import Message

LONGEST = 100_000
"""Characters of a message."""
Content = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """A message of a client."""


class Repeatable(Asked, frozen=True, kw_only=True):
    """What may be sent again when it is not known whether it arrived."""

    request_id: UUID | None = None
    """An id of the client's choice: what is sent again under it is done once."""


class ChatMessage(Asked, frozen=True, kw_only=True, tag="chat_message"):
    """Say something; the reply follows."""

    content: Content
    timestamp: str | float | None = None
    """The client's own, in whatever form; kept nowhere."""
    message_id: UUID | None = None
    """An id of the client's choice: the same message sent again under it is stored once."""
    parent_id: UUID | UnsetType | None = UNSET
    """The reply that it follows, null for the very beginning; without it, the last one that is shown."""


class Edit(Repeatable, frozen=True, kw_only=True, tag="edit"):
    """Say something in another way: a branch beside the message, which stays."""

    message_id: UUID
    content: Content


class Regenerate(Repeatable, frozen=True, kw_only=True, tag="regenerate"):
    """Have another reply; the one there was stays."""

    message_id: UUID | None = None
    """A reply, or the message replied to; without it, the last one that is shown."""


class Stop(Repeatable, frozen=True, kw_only=True, tag="stop"):
    """End the reply that is being made, and keep what has come."""

    message_id: UUID | None = None


class Show(Repeatable, frozen=True, kw_only=True, tag="show"):
    """Show the newest branch that goes through a message."""

    message_id: UUID


class Resume(Asked, frozen=True, kw_only=True, tag="resume"):
    """Go on where another socket was lost."""

    since: str | None = msgspec.field(default=None, name="from")
    """The last position that was heard: what has ended since is told first."""
    message_id: UUID | None = None
    """The reply that was being told,"""
    attempt: int | None = None
    """in this attempt,"""
    index: int = 0
    """up to this character."""


class Ping(Asked, frozen=True, kw_only=True, tag="ping"):
    """Is anybody there?"""


Request: TypeAlias = ChatMessage | Edit | Regenerate | Stop | Show | Resume | Ping


class CodePlace(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Code in a message, in characters (Unicode code points) from 0; `endIndex` is behind the last one."""

    language: str
    code: str
    start_index: int
    end_index: int


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel", omit_defaults=True):
    """A message of the server."""

    timestamp: datetime


class Ack(Said, frozen=True, kw_only=True, tag="ack"):
    """What was asked for is in the log, at this position."""

    position: str
    message_id: UUID | None = None
    reply_id: UUID | None = None
    """Of the reply that follows."""


class MessageStart(Said, frozen=True, kw_only=True, tag="message_start"):
    """A reply begins; or, with a higher attempt, begins again: forget what was told of it."""

    message_id: UUID
    attempt: int


class MessageChunk(Said, frozen=True, kw_only=True, tag="message_chunk"):
    """What comes next in a reply."""

    message_id: UUID
    content: str
    index: int
    """Where it belongs, in characters from 0."""
    attempt: int


class CodeBlockClosed(Said, frozen=True, kw_only=True, tag="code_block"):
    """The reply has closed a block of code."""

    message_id: UUID
    code_block: CodePlace


class MessageComplete(Said, frozen=True, kw_only=True, tag="message_complete"):
    """A reply has ended: this is all of it."""

    message_id: UUID
    full_content: str
    code_blocks: tuple[CodePlace, ...]
    position: str
    stopped: bool = False
    cut: bool = False
    withdrawn: bool = False
    """Something that it was made from has been deleted, and its words with it: forget what was told of it."""
    model: str | None = None
    method: str | None = None
    citations: tuple[CitedView, ...] = ()
    usage: UsageView | None = None


class MessageFromElsewhere(Said, frozen=True, kw_only=True, tag="message"):
    """Somebody has written this, in another tab."""

    message_id: UUID
    role: str
    content: str
    parent_id: UUID | None
    position: str


class Titled(Said, frozen=True, kw_only=True, tag="title"):
    """The project has another title."""

    title: str
    position: str


class BranchChanged(Said, frozen=True, kw_only=True, tag="branch"):
    """Another branch is shown: read the project anew."""

    leaf_id: UUID
    position: str


class Failed(Said, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; the socket stays open."""

    error: str
    code: str
    message_id: UUID | None = None
    """The reply that has failed."""
    position: str | None = None


class Pong(Said, frozen=True, kw_only=True, tag="pong"):
    """The answer to a ping."""


SAID: tuple[type[Said], ...] = (
    Ack, MessageStart, MessageChunk, CodeBlockClosed, MessageComplete, MessageFromElsewhere, Titled, BranchChanged,
    Failed, Pong,
)  # fmt: skip
ASKED: tuple[type[Asked], ...] = (ChatMessage, Edit, Regenerate, Stop, Show, Resume, Ping)

_encode = msgspec.json.Encoder().encode


def message(said: Said, position: Position | None = None) -> Message:
    """Encode it, once for all who get it."""
    return Message(str(type(said).__struct_config__.tag), _encode(said), position)
