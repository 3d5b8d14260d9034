"""One recording's facts, and the commands that lead to them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from events.jobsite import AudioUploaded, Indexed, StageFailed, Transcribed
from handlers.jobsite.decide import FailStage, RecordIndex, RecordTranscript, UploadAudio

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
index = RecordIndex(**_INDEX)
fail = FailStage(**_FAILURE)
fail_index = FailStage(**{**_FAILURE, "stage": "index", "code": "INDEXING_FAILED"})

UPLOADED = AudioUploaded(**_RECORDING)
TRANSCRIBED = Transcribed(**_TRANSCRIPT)
INDEXED = Indexed(**_INDEX, job_id=JOB, recorded_at=MONDAY)
FAILED = StageFailed(**_FAILURE)
INDEX_FAILED = StageFailed(**{**_FAILURE, "stage": "index", "code": "INDEXING_FAILED"})
