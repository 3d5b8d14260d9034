"""What happens to a recording: it becomes a transcript, is understood, summed up, found, reported, set right."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from events.envelope import Event
from events.jobsite.corrections import Correction
from events.jobsite.stages import Stage, Status


class SessionEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "session"
    session_id: UUID
    job_id: UUID | None = None
    """Whose job it is, as far as that is known: from here on, where the event says that it is another's."""


class _Result(SessionEvent, frozen=True, kw_only=True):
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


class Transcribed(_Result, frozen=True, kw_only=True):
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


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A builder or job that is nearly called what was said: people decide."""

    kind: Literal["builder", "job"]
    said: str
    id: UUID
    name: str
    similarity: float
    """Of trigrams, 0 to 1."""


class Understood(_Result, frozen=True, kw_only=True):
    """The spoken commands are told apart from the note itself; whose job it is."""

    transcript: str
    """Blob key of the transcript that it was made of."""
    corrections: int
    """How many of its corrections were known."""
    blob: str
    """Blob key of the `Understanding` (`infra/understanding`), JSON."""
    size: int
    method: str
    """What found the commands: `grammar`, or `model:<name>`."""
    builder_id: UUID | None = None
    recorded_at: datetime | None = None
    suggestions: tuple[Suggestion, ...] = ()
    commands: int = 0
    action_items: tuple[UUID, ...] = ()
    """Those that were asked for in the recording."""
    withdrawn: tuple[UUID, ...] = ()
    """Those that were, as it was understood before, and are no more."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class Summarised(_Result, frozen=True, kw_only=True):
    """The recording is summed up; what has to be done, and what contradicts what was known."""

    transcript: str
    corrections: int
    blob: str
    """Blob key of the `Summary` (`infra/understanding`), JSON."""
    size: int
    method: str
    """`extractive:<embedder>`, or `model:<name>`."""
    action_items: tuple[UUID, ...] = ()
    """Those that the summary found beyond the spoken ones."""
    withdrawn: tuple[UUID, ...] = ()
    discrepancies: tuple[UUID, ...] = ()
    title: str | None = None
    """Of the session, as its `notify_email` and `recorded_at` are: what a report needs."""
    notify_email: str | None = None
    recorded_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DiscrepanciesFound(SessionEvent, frozen=True, kw_only=True):
    """More that contradicts the recording, such as an attachment that came later."""

    blob: str
    """Blob key of a list of `Discrepancy` (`infra/understanding`), JSON."""
    size: int
    method: str
    discrepancies: tuple[UUID, ...]
    """Those that had not been found before."""
    attachment_id: UUID | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DiscrepancyAccepted(SessionEvent, frozen=True, kw_only=True):
    """It is one: somebody has to act on it."""

    discrepancy_id: UUID
    note: str = ""


class DiscrepancyDismissed(SessionEvent, frozen=True, kw_only=True):
    """It is none, or does not matter."""

    discrepancy_id: UUID
    note: str = ""


class Indexed(_Result, frozen=True, kw_only=True):
    """The transcript can be searched."""

    blob: str
    """Blob key of the chunks with their vectors."""
    size: int
    transcript: str
    """Blob key of the transcript they were made of."""
    corrections: int = 0
    index: str
    """The embedder and chunking that made them; only vectors of one index can be compared."""
    dimensions: int
    chunks: int
    recorded_at: datetime | None = None
    status: Status = "completed"

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class ReportRequested(SessionEvent, frozen=True, kw_only=True):
    """Somebody wants the report made anew, of what is known now, and sent to everybody, also to those who have one."""

    request_id: UUID
    summary: str
    """Blob key of the summary that it will tell."""


class Reported(_Result, frozen=True, kw_only=True):
    """The report for the office is written."""

    transcript: str
    corrections: int
    summary: str
    """Blob key of the summary that it tells."""
    title: str
    subject: str
    html: str
    """Blob key."""
    text: str
    """Blob key."""
    recipients: tuple[str, ...] = ()
    """Mail addresses."""
    action_items: int = 0
    discrepancies: int = 0
    edition: int = 1
    """Later ones follow corrections: they replace what can be read, and need not be mailed to everybody again."""
    request_id: UUID | None = None
    """The request that this answers: then it is mailed to everybody again."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.html, self.text)


class Notified(_Result, frozen=True, kw_only=True):
    """Whoever must know of the report has been told, or will be: it is in the hands of `notifications`."""

    edition: int
    notification_id: UUID | None = None
    status: Status = "completed"


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


class SessionDeleted(SessionEvent, frozen=True, kw_only=True):
    """The session is gone, and everything that was made of it goes."""


SESSION_EVENTS = (
    AudioUploaded,
    Transcribed,
    TranscriptCorrected,
    TranscriptionRequested,
    TranscriptProposed,
    TranscriptionFailed,
    Understood,
    Summarised,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    Indexed,
    ReportRequested,
    Reported,
    Notified,
    StageFailed,
    StageRetried,
    SessionRenamed,
    SessionMoved,
    SessionDeleted,
)
