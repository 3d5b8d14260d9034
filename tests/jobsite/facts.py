"""One recording's facts, and the commands that lead to them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from events.envelope import Event
from events.jobsite import (
    AudioUploaded,
    Indexed,
    Notified,
    Reported,
    StageFailed,
    Summarised,
    Transcribed,
    Understood,
)
from handlers.jobsite.session.commands import (
    FailStage,
    RecordIndex,
    RecordNotified,
    RecordReport,
    RecordSummary,
    RecordTranscript,
    RecordUnderstanding,
    UploadAudio,
)
from handlers.jobsite.session.decide import SESSIONS
from tests.rules import Given
from tests.rules import given as given_of

SESSION, UPLOAD, JOB = UUID(int=1), UUID(int=2), UUID(int=3)
MONDAY = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
INDEX = "hash_sentences"

_RECORDING: dict[str, Any] = {
    "session_id": SESSION,
    "upload_id": UPLOAD,
    "blob": "aa",
    "size": 1000,
    "media_type": "audio/ogg",
    "file_name": "monday.ogg",
    "job_id": JOB,
    "title": "Boiler room",
    "recorded_at": MONDAY,
}
_TRANSCRIPT: dict[str, Any] = {
    "session_id": SESSION,
    "blob": "bb",
    "size": 300,
    "seconds": 4.5,
    "segments": 2,
    "words": 8,
    "language": "en",
    "model": "test",
    "attempts": 2,
    "started_at": MONDAY,
}
_UNDERSTANDING: dict[str, Any] = {
    "session_id": SESSION,
    "transcript": "bb",
    "corrections": 0,
    "blob": "uu",
    "size": 200,
    "method": "grammar",
}
_SUMMARY: dict[str, Any] = {
    "session_id": SESSION,
    "transcript": "bb",
    "corrections": 0,
    "blob": "ss",
    "size": 200,
    "method": "extractive:test",
    "job_id": JOB,
    "discrepancies": (UUID(int=70),),
}
_REPORT: dict[str, Any] = {
    "session_id": SESSION,
    "summary": "ss",
    "title": "Boiler room",
    "subject": "Boiler room: one discrepancy",
    "html": "hh",
    "text": "tt",
    "recipients": ("office@example.com",),
    "discrepancies": 1,
}
_INDEX: dict[str, Any] = {
    "session_id": SESSION,
    "blob": "cc",
    "size": 900,
    "transcript": "bb",
    "index": INDEX,
    "dimensions": 2,
    "chunks": 1,
}
_FAILURE: dict[str, Any] = {
    "session_id": SESSION,
    "stage": "transcribe",
    "code": "AUDIO_EMPTY",
    "detail": "Nothing in it.",
}

upload = UploadAudio(**_RECORDING)
transcribe = RecordTranscript(**_TRANSCRIPT)
understand = RecordUnderstanding(**_UNDERSTANDING)
summarise = RecordSummary(**_SUMMARY)
report = RecordReport(**_REPORT)
notify = RecordNotified(session_id=SESSION, edition=1)
index = RecordIndex(**_INDEX)
fail = FailStage(**_FAILURE)
fail_index = FailStage(**{**_FAILURE, "stage": "index", "code": "INDEXING_FAILED"})

UPLOADED = AudioUploaded(**_RECORDING)
TRANSCRIBED = Transcribed(**_TRANSCRIPT, job_id=JOB, job_chosen=True, recorded_at=MONDAY)
UNDERSTOOD = Understood(**_UNDERSTANDING, job_id=JOB, recorded_at=MONDAY)
SUMMARISED = Summarised(**_SUMMARY, title="Boiler room", recorded_at=MONDAY)
REPORTED = Reported(**_REPORT, transcript="bb", corrections=0, job_id=JOB)
NOTIFIED = Notified(session_id=SESSION, job_id=JOB, edition=1)
INDEXED = Indexed(**_INDEX, job_id=JOB, recorded_at=MONDAY)
FAILED = StageFailed(**_FAILURE, job_id=JOB)
INDEX_FAILED = StageFailed(**{**_FAILURE, "job_id": JOB, "stage": "index", "code": "INDEXING_FAILED"})


def given(*past: Event) -> Given:
    """Begin with what has happened to a recording. What events say of the whole session has its own test."""
    return given_of(replace(SESSIONS, decide=_without_status), *past)


def _without_status(command: Any, state: Any) -> list[Event]:
    return [_plain(event) for event in SESSIONS.decide(command, state)]


def _plain(event: Any) -> Event:
    fields = {each.name: each.default for each in msgspec.structs.fields(event)}
    known = {"status": fields["status"]} if "status" in fields else {}
    plain: Event = msgspec.structs.replace(event, **known)
    return plain
