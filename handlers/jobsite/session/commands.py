"""What may be asked of a recording: by people, and by the handlers of its stages."""

from datetime import datetime
from uuid import UUID

from events.jobsite import Correction, Stage, Suggestion
from handlers.commands import Command


class UploadAudio(Command, frozen=True, kw_only=True):
    session_id: UUID
    upload_id: UUID
    blob: str
    size: int
    media_type: str
    file_name: str = ""
    job_id: UUID | None = None
    title: str | None = None
    recorded_at: datetime | None = None
    notify_email: str | None = None


class _Answer(Command, frozen=True, kw_only=True):
    """What a stage has come to."""

    session_id: UUID
    attempts: int = 1
    started_at: datetime | None = None


class RecordTranscript(_Answer, frozen=True, kw_only=True):
    """The first transcript, or, with `request_id`, one that was asked for and replaces what there is."""

    blob: str
    size: int
    seconds: float
    segments: int
    words: int
    language: str
    model: str
    request_id: UUID | None = None


class ProposeTranscript(_Answer, frozen=True, kw_only=True):
    """The answer to a request that was only to show the difference."""

    request_id: UUID
    blob: str
    size: int
    seconds: float
    segments: int
    words: int
    language: str
    model: str
    against: str


class FailTranscription(Command, frozen=True, kw_only=True):
    """A request for another transcript came to nothing; the session is as good as before."""

    session_id: UUID
    request_id: UUID
    code: str
    detail: str
    attempts: int = 1


class RecordUnderstanding(_Answer, frozen=True, kw_only=True):
    transcript: str
    corrections: int
    blob: str
    size: int
    method: str
    job_id: UUID | None = None
    """As said in the recording; what people say goes before it."""
    builder_id: UUID | None = None
    suggestions: tuple[Suggestion, ...] = ()
    commands: int = 0
    action_items: tuple[UUID, ...] = ()


class RecordSummary(_Answer, frozen=True, kw_only=True):
    """Dropped when the transcript, its corrections or the job are no longer those it was made for."""

    transcript: str
    corrections: int
    blob: str
    size: int
    method: str
    job_id: UUID | None = None
    action_items: tuple[UUID, ...] = ()
    discrepancies: tuple[UUID, ...] = ()


class RecordDiscrepancies(Command, frozen=True, kw_only=True):
    session_id: UUID
    blob: str
    size: int
    method: str
    discrepancies: tuple[UUID, ...]
    attachment_id: UUID | None = None


class Reconsider(Command, frozen=True, kw_only=True):
    """What the recording was compared with has changed, or is gone with all that quotes it."""

    session_id: UUID
    source_id: UUID
    gone: bool = False
    forgotten: tuple[str, ...] = ()


class RecordIndex(_Answer, frozen=True, kw_only=True):
    blob: str
    size: int
    transcript: str
    corrections: int = 0
    index: str
    dimensions: int
    chunks: int
    recorded_at: datetime | None = None
    """When it came in: it counts where nobody said when it was recorded."""


class RecordReport(_Answer, frozen=True, kw_only=True):
    """Dropped when the summary is no longer the one it tells."""

    summary: str
    title: str
    subject: str
    html: str
    text: str
    recipients: tuple[str, ...] = ()
    action_items: int = 0
    discrepancies: int = 0


class RecordNotified(_Answer, frozen=True, kw_only=True):
    edition: int
    notification_id: UUID | None = None


class FailStage(Command, frozen=True, kw_only=True):
    """Dropped when the stage works on something else by now: name what it worked on, as far as it is known."""

    session_id: UUID
    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None
    transcript: str | None = None
    corrections: int | None = None


class RetryStage(Command, frozen=True, kw_only=True):
    """None retries the first stage that failed."""

    session_id: UUID
    stage: Stage | None = None


class RequestReport(Command, frozen=True, kw_only=True):
    session_id: UUID
    request_id: UUID


class RequestTranscription(Command, frozen=True, kw_only=True):
    session_id: UUID
    request_id: UUID
    model: str | None = None
    dry_run: bool = False


class AcceptTranscript(Command, frozen=True, kw_only=True):
    """The proposed transcript replaces the one that holds."""

    session_id: UUID
    request_id: UUID


class CorrectTranscript(Command, frozen=True, kw_only=True):
    """`corrections` are new ones, made of the transcript `transcript` with its first `known` corrections."""

    session_id: UUID
    transcript: str
    known: int
    corrections: tuple[Correction, ...]


class RenameSession(Command, frozen=True, kw_only=True):
    session_id: UUID
    title: str | None


class MoveSession(Command, frozen=True, kw_only=True):
    session_id: UUID
    job_id: UUID | None
    misheard: bool = False


class DecideDiscrepancy(Command, frozen=True, kw_only=True):
    session_id: UUID
    discrepancy_id: UUID
    accepted: bool
    note: str = ""


class DeleteSession(Command, frozen=True, kw_only=True):
    session_id: UUID


SessionCommand = (
    UploadAudio
    | RecordTranscript
    | ProposeTranscript
    | FailTranscription
    | RecordUnderstanding
    | RecordSummary
    | RecordDiscrepancies
    | Reconsider
    | RecordIndex
    | RecordReport
    | RecordNotified
    | FailStage
    | RetryStage
    | RequestReport
    | RequestTranscription
    | AcceptTranscript
    | CorrectTranscript
    | RenameSession
    | MoveSession
    | DecideDiscrepancy
    | DeleteSession
)
