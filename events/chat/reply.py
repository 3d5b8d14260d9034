"""What happens to the words of a reply that was made from sources: they are kept apart, and go with what they repeat.

The project's own events say that the reply was asked for and has ended; its words are a blob of an aggregate of its
own, so that the deletion of a recording or a document can take them and leave the conversation.
"""

from typing import ClassVar
from uuid import UUID

import msgspec

from events.envelope import Event


class SourceUsed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A recording, an attachment or a document that may have gone into a reply."""

    context: str
    kind: str
    source_id: UUID


class ReplyEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "chat"
    aggregate: ClassVar[str] = "reply"
    reply_id: UUID
    project_id: UUID


class ReplyWritten(ReplyEvent, frozen=True, kw_only=True):
    """A reply says something that it may have from sources."""

    blob: str
    """Blob key of its text and its quotes, JSON."""
    size: int
    sources: tuple[SourceUsed, ...]
    """All that may have gone into it, also by way of earlier replies that it followed."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class ReplyDeleted(ReplyEvent, frozen=True, kw_only=True):
    """Its words are gone: something that went into it was deleted, or the conversation was."""

    source_id: UUID | None = None
    """What was deleted, if it was a source."""


REPLY_EVENTS = (ReplyWritten, ReplyDeleted)
