"""What happens on a job: recordings come in, become transcripts, and can be found."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from events.envelope import Event

Stage = Literal["transcribe", "index"]


class SessionEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "session"
    session_id: UUID


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
    job_id: UUID | None = None
    title: str | None = None
    recorded_at: datetime | None = None
    notify_email: str | None = None


class Transcribed(SessionEvent, frozen=True, kw_only=True):
    """What was said is known."""

    blob: str
    """Blob key of the transcript, JSON."""
    size: int
    seconds: float
    """Length of the recording."""
    segments: int
    words: int
    language: str
    model: str
    attempts: int = 1
    started_at: datetime | None = None


class Indexed(SessionEvent, frozen=True, kw_only=True):
    """The transcript can be searched."""

    blob: str
    """Blob key of the chunks with their vectors."""
    size: int
    transcript: str
    """Blob key of the transcript they were made of."""
    index: str
    """The embedder and chunking that made them; only vectors of one index can be compared."""
    dimensions: int
    chunks: int
    job_id: UUID | None = None
    recorded_at: datetime | None = None
    attempts: int = 1
    started_at: datetime | None = None


class StageFailed(SessionEvent, frozen=True, kw_only=True):
    """A stage will not succeed: the recording is at fault, or every attempt failed."""

    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


JOBSITE_EVENTS = (AudioUploaded, Transcribed, Indexed, StageFailed)
