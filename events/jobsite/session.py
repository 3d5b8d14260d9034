"""What happens to a recording: it comes in, its stages fail and are tried again, it is renamed, moved and deleted."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from events.envelope import Event
from events.jobsite.stages import Stage, Status


class SessionEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "session"
    session_id: UUID
    job_id: UUID | None = None
    """Whose job it is, as far as that is known: from here on, where the event says that it is another's."""


class Result(SessionEvent, frozen=True, kw_only=True):
    """What a stage has made. Results of a transcript that no longer holds never become events."""

    attempts: int = 1
    started_at: datetime | None = None
    status: Status = "processing"
    """What this makes of the whole session."""


class AudioUploaded(SessionEvent, frozen=True, kw_only=True):
    """A recording was accepted."""

    upload_id: UUID
    blob: str
    """Blob key. The audio itself never enters the log."""
    size: int
    """Bytes."""
    media_type: str
    """By content, not by name."""
    file_name: str = ""
    title: str | None = None
    recorded_at: datetime | None = None
    notify_email: str | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class StageFailed(SessionEvent, frozen=True, kw_only=True):
    """A stage will not succeed: the recording is at fault, or every attempt failed."""

    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


class StageRetried(SessionEvent, frozen=True, kw_only=True):
    """A failed stage is tried again. The rest is what the stage works on, as far as it is there."""

    stage: Stage
    retry: int
    """How often it has been retried, this time included."""
    audio: str
    transcript: str | None = None
    corrections: int = 0
    understanding: str | None = None
    summary: str | None = None
    title: str | None = None
    notify_email: str | None = None
    recorded_at: datetime | None = None


class SessionRenamed(SessionEvent, frozen=True, kw_only=True):
    """It has another title, or none."""

    title: str | None


class SessionMoved(SessionEvent, frozen=True, kw_only=True):
    """Somebody said whose job it is. The transcript and its vectors stay; what compares within a job is done again."""

    was: UUID | None = None
    transcript: str | None = None
    corrections: int = 0
    understanding: str | None = None
    """Blob key; None when it was not understood yet, so that nothing has to be done again."""
    recorded_at: datetime | None = None
    chunk_sets: dict[str, str] = msgspec.field(default_factory=dict)
    """Blob keys of the chunks with their vectors, by index: they need not be made again."""
    action_items: tuple[UUID, ...] = ()
    """Those that the recording asks for: they go with it."""
    misheard: bool = False
    """Whether the job or builder that was added for it goes, as far as nothing else is there: another was meant."""


class SourceChanged(SessionEvent, frozen=True, kw_only=True):
    """A recording or file that it was found to contradict says something else now, or is gone.

    What compares is done again. What quotes something deleted is forgotten.
    """

    source_id: UUID
    gone: bool = False
    transcript: str | None = None
    corrections: int = 0
    understanding: str | None = None
    recorded_at: datetime | None = None
    forgotten: tuple[str, ...] = ()
    """Blob keys of what quotes the source."""

    @property
    def forgets(self) -> tuple[str, ...]:
        return self.forgotten


class SessionDeleted(SessionEvent, frozen=True, kw_only=True):
    """The session is gone, and everything that was made of it goes."""
