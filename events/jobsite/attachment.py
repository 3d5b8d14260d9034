"""What happens to a file that belongs to a job or a recording."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from events.envelope import Event

AttachmentStage = Literal["extract", "index"]


class AttachmentEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "attachment"
    attachment_id: UUID
    session_id: UUID | None = None
    """The recording that it belongs to."""
    job_id: UUID | None = None
    """Whose job it is, as far as that is known: every event tells it, so that a job's followers hear of it."""


class AttachmentUploaded(AttachmentEvent, frozen=True, kw_only=True):
    """A file was accepted."""

    upload_id: UUID
    blob: str
    size: int
    media_type: str
    """By content, not by name."""
    file_name: str = ""
    title: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class AttachmentExtracted(AttachmentEvent, frozen=True, kw_only=True):
    """Its text is known."""

    blob: str
    """Blob key of the text with its pages: an `infra.documents.Parsed`, MessagePack."""
    size: int
    pages: int
    characters: int
    media_type: str
    """As its contents turned out to be."""
    parser: str
    language: str | None = None
    title: str | None = None
    """As the document itself says."""
    attempts: int = 1
    started_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class AttachmentIndexed(AttachmentEvent, frozen=True, kw_only=True):
    """Its text can be searched."""

    blob: str
    """Blob key of the chunks with their vectors."""
    size: int
    text: str
    """Blob key of the text they were made of."""
    index: str
    dimensions: int
    chunks: int
    attempts: int = 1
    started_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class AttachmentFailed(AttachmentEvent, frozen=True, kw_only=True):
    """A stage will not succeed: the file is at fault, or every attempt failed."""

    stage: AttachmentStage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


class AttachmentRetried(AttachmentEvent, frozen=True, kw_only=True):
    """A failed stage is tried again."""

    stage: AttachmentStage
    retry: int
    source: str
    """Blob key of what the stage works on: the file, or its text."""


class AttachmentMoved(AttachmentEvent, frozen=True, kw_only=True):
    """It belongs to another session or job."""

    text: str | None = None
    """Blob key of its text, when that is known."""
    chunks: int = 0
    """How many there are in an index at most: their rows move with it and need not be made again."""
    as_of: int = 0
    """Position in the log as of which its recording was looked at: what an older look has seen changes nothing."""


class AttachmentDeleted(AttachmentEvent, frozen=True, kw_only=True):
    """It is gone, and everything that was made of it goes."""


ATTACHMENT_EVENTS = (
    AttachmentUploaded,
    AttachmentExtracted,
    AttachmentIndexed,
    AttachmentFailed,
    AttachmentRetried,
    AttachmentMoved,
    AttachmentDeleted,
)
