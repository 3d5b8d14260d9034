"""What was said in a recording: as a model heard it, as people set it right, as another model would have it."""

from datetime import datetime
from uuid import UUID

from events.jobsite.corrections import Correction
from events.jobsite.session import Result, SessionEvent


class Transcribed(Result, frozen=True, kw_only=True):
    """What was said is known, or known better than before."""

    blob: str
    """Blob key of the transcript, JSON, as the model made it."""
    size: int
    seconds: float
    """Length of the recording."""
    segments: int
    words: int
    language: str
    model: str
    corrections: tuple[Correction, ...] = ()
    """All corrections so far: they hold for this transcript too."""
    request_id: UUID | None = None
    """The request for another transcript that this answers."""
    job_chosen: bool = False
    """Whether people have said whose job it is."""
    recorded_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class TranscriptCorrected(SessionEvent, frozen=True, kw_only=True):
    """Somebody set right what was said, or by whom; what was made of the transcript before is made again."""

    transcript: str
    """Blob key of the transcript."""
    corrections: tuple[Correction, ...]
    """All so far, the new ones last."""
    job_chosen: bool = False
    """Whether people have said whose job it is."""
    recorded_at: datetime | None = None


class TranscriptionRequested(SessionEvent, frozen=True, kw_only=True):
    """The recording is to be transcribed again."""

    request_id: UUID
    audio: str
    """Blob key of the recording."""
    model: str | None = None
    """Another than the usual one."""
    dry_run: bool = False
    """Only propose it."""


class TranscriptProposed(SessionEvent, frozen=True, kw_only=True):
    """Another transcript is there to be compared; the one before still holds."""

    request_id: UUID
    blob: str
    size: int
    seconds: float
    segments: int
    words: int
    language: str
    model: str
    against: str
    """Blob key of the transcript that it was compared with."""
    attempts: int = 1
    started_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class TranscriptionFailed(SessionEvent, frozen=True, kw_only=True):
    """Another transcript could not be made; the one before still holds."""

    request_id: UUID
    code: str
    detail: str
    attempts: int = 1
