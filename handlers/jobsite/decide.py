"""Rules of a session: what may happen to a recording, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from events.jobsite import AudioUploaded, Indexed, SessionEvent, Stage, StageFailed, Transcribed
from handlers.commands import Command, Decider, as_told


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


class RecordTranscript(Command, frozen=True, kw_only=True):
    session_id: UUID
    blob: str
    size: int
    seconds: float
    segments: int
    words: int
    language: str
    model: str
    attempts: int = 1
    started_at: datetime | None = None


class RecordIndex(Command, frozen=True, kw_only=True):
    session_id: UUID
    blob: str
    size: int
    transcript: str
    index: str
    dimensions: int
    chunks: int
    attempts: int = 1
    started_at: datetime | None = None


class FailStage(Command, frozen=True, kw_only=True):
    session_id: UUID
    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


SessionCommand = UploadAudio | RecordTranscript | RecordIndex | FailStage


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Session:
    """What decisions need to know: the facts that an index repeats, and how far the stages are."""

    job_id: UUID | None
    recorded_at: datetime | None
    transcript: str | None = None
    indexes: frozenset[str] = frozenset()
    failed: frozenset[Stage] = frozenset()


State = Absent | Session


def decide(command: SessionCommand, state: State) -> Sequence[SessionEvent]:
    match state:
        case Absent():
            return [as_told(AudioUploaded, command)] if isinstance(command, UploadAudio) else []
        case Session():
            return _follow(command, state)


def _follow(command: SessionCommand, session: Session) -> Sequence[SessionEvent]:
    """What may happen to a recording that was accepted. A second answer of a handler changes nothing."""
    match command:
        case UploadAudio():
            return []  # the same recording again
        case RecordTranscript() as c:
            return [] if session.transcript else [as_told(Transcribed, c)]
        case RecordIndex() as c:
            fresh = c.transcript == session.transcript and c.index not in session.indexes
            job, recorded = session.job_id, session.recorded_at
            told = as_told(Indexed, c, job_id=job, recorded_at=recorded)
            return [told] if fresh else []  # or it is of a transcript that no longer holds
        case FailStage() as c:
            return [] if c.stage in session.failed or _done(c.stage, session) else [as_told(StageFailed, c)]
    assert_never(command)


def _done(stage: Stage, session: Session) -> bool:
    return session.transcript is not None if stage == "transcribe" else bool(session.indexes)


def evolve(state: State, event: SessionEvent) -> State:
    match event, state:
        case AudioUploaded() as e, _:
            return Session(job_id=e.job_id, recorded_at=e.recorded_at)
        case Transcribed() as e, Session() as s:
            return replace(
                s, transcript=e.blob, indexes=frozenset(), failed=s.failed - {"transcribe", "index"}
            )
        case Indexed() as e, Session() as s:
            return replace(s, indexes=s.indexes | {e.index}, failed=s.failed - {"index"})
        case StageFailed() as e, Session() as s:
            return replace(s, failed=s.failed | {e.stage})
    return state


SESSIONS: Decider[SessionCommand, State] = Decider(
    "jobsite",
    "session",
    (UploadAudio, RecordTranscript, RecordIndex, FailStage),
    Absent(),
    decide,
    evolve,
)
