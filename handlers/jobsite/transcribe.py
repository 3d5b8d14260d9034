"""From a recording to what was said in it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from events.envelope import Recorded
from events.jobsite import AudioUploaded
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.session.commands import FailStage, RecordTranscript
from infra import audio
from infra.blobs import BlobMissing, Blobs, once
from infra.scratch import scratch
from infra.speech import Speech, Transcript, UnusableAudio

LONGEST = 6 * 3600.0
"""Seconds one attempt may take: a recording of some hours on a slow machine."""


def transcriber(*, blobs: Blobs, speech: Speech, clock: Callable[[], datetime], concurrency: int) -> Handler:
    """The handler of `audio_uploaded`."""

    async def transcribe(recorded: Recorded[AudioUploaded], attempt: Attempt) -> RecordTranscript | FailStage:
        event, started = recorded.event, clock()
        try:
            transcript = await _listen(event.blob, blobs, speech, attempt)
        except (UnusableAudio, BlobMissing) as fault:
            return FailStage(
                session_id=event.session_id,
                stage="transcribe",
                code=fault.code if isinstance(fault, UnusableAudio) else "AUDIO_MISSING",
                detail=fault.detail if isinstance(fault, UnusableAudio) else "The recording is gone.",
                attempts=attempt.number,
                started_at=started,
            )
        stored = await blobs.put(once(msgspec.json.encode(transcript)), media_type="application/json")
        return RecordTranscript(
            session_id=event.session_id,
            blob=stored.key,
            size=stored.size,
            seconds=transcript.seconds,
            segments=len(transcript.segments),
            words=sum(len(segment.text.split()) for segment in transcript.segments),
            language=transcript.language,
            model=transcript.model,
            attempts=attempt.number,
            started_at=started,
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


async def _listen(blob: str, blobs: Blobs, speech: Speech, attempt: Attempt) -> Transcript:
    with scratch() as folder:
        source, wav = Path(folder) / "recording", Path(folder) / "recording.wav"
        with source.open("wb") as file:
            async for piece in blobs.read(blob):
                await asyncio.to_thread(file.write, piece)
        await audio.decode(source, wav)
        return await speech.transcribe(wav, progress=attempt.report)
