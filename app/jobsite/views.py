"""What `jobsite` answers, as the structs that OpenAPI shows."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from events.jobsite import Place
from infra.understanding import Quote

Status = Literal["accepted", "processing", "completed", "failed"]
Decision = Literal["open", "accepted", "dismissed"]
State = Literal["pending", "processing", "completed", "failed"]


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Fault(_View, frozen=True, kw_only=True):
    """Why a stage failed, or why its last attempt did."""

    code: str
    detail: str


class StageView(_View, frozen=True, kw_only=True):
    """How far one stage is. A `processing` stage with an `error` is waiting for its next attempt."""

    stage: str
    state: State
    progress: int
    """0 to 100."""
    attempts: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Fault | None = None


class Accepted(_View, frozen=True, kw_only=True):
    """The answer to an upload: the recording is safe, and the stages are under way."""

    session_id: UUID
    upload_id: UUID
    position: str
    """Send it as `Headwater-After` to read what follows from it."""
    status_url: str


class UploadStatus(_View, frozen=True, kw_only=True):
    session_id: UUID
    upload_id: UUID
    status: Status
    stages: tuple[StageView, ...]


class WordView(_View, frozen=True, kw_only=True):
    text: str
    start: float
    end: float
    confidence: float | None = None


class SegmentView(_View, frozen=True, kw_only=True):
    """A stretch of speech: seconds in the recording, characters in the transcript's text."""

    n: int
    text: str
    start: float
    end: float
    start_char: int
    end_char: int
    confidence: float | None = None
    speaker: str | None = None
    words: tuple[WordView, ...] = ()


class TranscriptView(_View, frozen=True, kw_only=True):
    text: str
    language: str
    model: str
    segments: tuple[SegmentView, ...]


class SessionSummary(_View, frozen=True, kw_only=True):
    id: UUID
    upload_id: UUID
    job_id: UUID | None
    title: str | None
    status: Status
    file_name: str
    media_type: str
    size: int
    """Bytes."""
    seconds: float | None
    """Length of the recording, once it is known."""
    words: int | None
    recorded_at: datetime | None
    uploaded_at: datetime
    updated_at: datetime


class ActionItemView(_View, frozen=True, kw_only=True):
    id: UUID
    text: str
    owner: str | None
    due: date | None
    done: bool
    done_at: datetime | None
    job_id: UUID | None
    session_id: UUID | None
    """The recording that asks for it."""
    quote: str | None
    """The words that ask for it."""
    place: Place | None
    """Where they are in the recording."""
    method: str
    """What found it: `hand`, `grammar` or `model:<name>`."""
    added_at: datetime
    updated_at: datetime


class DiscrepancyView(_View, frozen=True, kw_only=True):
    """Two sources that do not agree, with both quotes and their places."""

    id: UUID
    session_id: UUID
    job_id: UUID | None
    kind: str
    about: str
    detail: str
    said: Quote
    against: Quote
    method: str
    found_at: datetime
    state: Decision
    note: str | None
    """Of whoever decided."""
    decided_by: str | None
    decided_at: datetime | None


class SuggestionView(_View, frozen=True, kw_only=True):
    """A builder or job that is nearly called what was said; nobody but people may say that it is meant."""

    kind: Literal["builder", "job"]
    said: str
    id: UUID
    name: str
    similarity: float


class SummaryView(_View, frozen=True, kw_only=True):
    """A recording summed up."""

    text: str
    method: str
    sentences: tuple[Quote, ...]
    """Where it comes from."""
    notes: tuple[str, ...]
    """What was said for the office."""
    made_at: datetime


class SessionView(SessionSummary, frozen=True, kw_only=True):
    """A session with everything that is known of it."""

    uploaded_by: str
    notify_email: str | None
    audio_url: str
    """Where the recording can be played or downloaded for a while."""
    stages: tuple[StageView, ...]
    transcript: TranscriptView | None
    corrections: int = 0
    """How many people have made in the transcript."""
    understood_by: str | None = None
    """What found the spoken commands: `grammar`, or `model:<name>`."""
    summary: SummaryView | None = None
    suggestions: tuple[SuggestionView, ...] = ()
    action_items: tuple[ActionItemView, ...] = ()
    discrepancies: tuple[DiscrepancyView, ...] = ()
    as_of: str | None = None
    """The position that this was true at, when another than now was asked for."""
