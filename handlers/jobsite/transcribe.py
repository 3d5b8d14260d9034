"""From a recording to what was said in it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import msgspec

from events.envelope import Recorded
from events.jobsite import AudioUploaded
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.session.commands import FailStage, RecordTranscript
from infra import audio
from infra.blobs import BlobMissing, Blobs, once
from infra.scratch import scratch
from infra.speech import Speech, UnknownModel, UnusableAudio

LONGEST = 6 * 3600.0
"""Seconds one attempt may take: a recording of some hours on a slow machine."""


def transcriber(*, blobs: Blobs, speech: Speech, clock: Callable[[], datetime], concurrency: int) -> Handler:
    """The handler of `audio_uploaded`."""

    async def transcribe(recorded: Recorded[AudioUploaded], attempt: Attempt) -> RecordTranscript | FailStage:
        event, started = recorded.event, clock()
        try:
            heard = await listen(event.blob, blobs, speech, attempt)
        except (UnusableAudio, BlobMissing) as fault:
            code, detail = reason(fault)
            return FailStage(
                session_id=event.session_id,
                stage="transcribe",
                code=code,
                detail=detail,
                attempts=attempt.number,
                started_at=started,
            )
        return RecordTranscript(
            session_id=event.session_id, attempts=attempt.number, started_at=started, **heard
        )

    def give_up(recorded: Recorded[AudioUploaded], failure: Failure) -> FailStage:
        return FailStage(
            session_id=recorded.event.session_id,
            stage="transcribe",
            code="TRANSCRIPTION_FAILED",
            detail=f"Transcription failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
        )

    return Handler(
        name="transcribe",
        on=AudioUploaded,
        effect=transcribe,
        give_up=give_up,
        timeout=LONGEST,
        backoff=PATIENCE,
        concurrency=concurrency,
    )


class Heard(TypedDict):
    """What every answer says of a transcript."""

    blob: str
    size: int
    seconds: float
    segments: int
    words: int
    language: str
    model: str


async def listen(
    audio_blob: str, blobs: Blobs, speech: Speech, attempt: Attempt, model: str | None = None
) -> Heard:
    """Transcribe a recording and keep what was said. Raises UnusableAudio, UnknownModel, BlobMissing."""
    with scratch() as folder:
        source, wav = Path(folder) / "recording", Path(folder) / "recording.wav"
        with source.open("wb") as file:
            async for piece in blobs.read(audio_blob):
                await asyncio.to_thread(file.write, piece)
        await audio.decode(source, wav)
        transcript = await speech.transcribe(wav, progress=attempt.report, model=model)
    stored = await blobs.put(once(msgspec.json.encode(transcript)), media_type="application/json")
    return Heard(
        blob=stored.key,
        size=stored.size,
        seconds=transcript.seconds,
        segments=len(transcript.segments),
        words=sum(len(segment.text.split()) for segment in transcript.segments),
        language=transcript.language,
        model=transcript.model,
    )


def reason(fault: UnusableAudio | UnknownModel | BlobMissing) -> tuple[str, str]:
    """Code and detail of what makes another attempt useless."""
    match fault:
        case UnusableAudio():
            return fault.code, fault.detail
        case UnknownModel():
            return "MODEL_UNKNOWN", str(fault)
    return "AUDIO_MISSING", "The recording is gone."
