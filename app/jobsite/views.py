"""What `jobsite` answers, as the structs that OpenAPI shows."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Status = Literal["accepted", "processing", "completed", "failed"]
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


class SessionView(SessionSummary, frozen=True, kw_only=True):
    """A session with everything that is known of it."""

    uploaded_by: str
    notify_email: str | None
    audio_url: str
    """Where the recording can be played or downloaded for a while."""
    stages: tuple[StageView, ...]
    transcript: TranscriptView | None
