"""From what was said to what was meant: spoken commands told apart, the builder and the job found."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from events.envelope import Recorded
from events.jobsite import Transcribed
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.session.commands import FailStage, RecordUnderstanding
from infra.blobs import BlobMissing, Blobs, once
from infra.chunking import full_text
from infra.speech import Transcript
from infra.speech.corrections import corrected
from infra.understanding import Understanding


def understander(*, blobs: Blobs, clock: Callable[[], datetime]) -> Handler:
    """The handler of `transcribed`."""

    async def understand(
        recorded: Recorded[Transcribed], attempt: Attempt
    ) -> RecordUnderstanding | FailStage:
        event, started = recorded.event, clock()
        try:
            content = await blobs.get(event.blob)
        except BlobMissing:
            return FailStage(
                session_id=event.session_id,
                stage="understand",
                code="TRANSCRIPT_MISSING",
                detail="The transcript is gone from the blob store.",
                attempts=attempt.number,
                started_at=started,
                transcript=event.blob,
                corrections=len(event.corrections),
            )
        transcript = corrected(msgspec.json.decode(content, type=Transcript), event.corrections)
        text = full_text(transcript.segments)
        meant = Understanding(transcript=transcript, kept=((0, len(text)),), text=text)
        stored = await blobs.put(once(msgspec.json.encode(meant)), media_type="application/json")
        return RecordUnderstanding(
            session_id=event.session_id,
            transcript=event.blob,
            corrections=len(event.corrections),
            blob=stored.key,
            size=stored.size,
            method=meant.method,
            commands=len(meant.commands),
            attempts=attempt.number,
            started_at=started,
        )

    def give_up(recorded: Recorded[Transcribed], failure: Failure) -> FailStage:
        return FailStage(
            session_id=recorded.event.session_id,
            stage="understand",
            code="UNDERSTANDING_FAILED",
            detail=f"Understanding failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
            transcript=recorded.event.blob,
            corrections=len(recorded.event.corrections),
        )

    return Handler(
        name="understand",
        on=Transcribed,
        effect=understand,
        give_up=give_up,
        timeout=600.0,
        backoff=PATIENCE,
        concurrency=4,
    )
