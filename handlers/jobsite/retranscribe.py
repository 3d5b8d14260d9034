"""Another transcript of the same recording: to be compared with the one that holds, or to take its place."""

from collections.abc import Callable
from datetime import datetime

from events.envelope import Recorded
from events.jobsite import TranscriptionRequested
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.commands import FailTranscription, ProposeTranscript, RecordTranscript
from handlers.jobsite.session.state import Session
from handlers.jobsite.transcribe import LONGEST, listen, reason
from infra.blobs import BlobMissing, Blobs
from infra.speech import Speech, UnknownModel, UnusableAudio

Answer = ProposeTranscript | RecordTranscript | FailTranscription | None


def retranscriber(
    *, reading: Reading, blobs: Blobs, speech: Speech, clock: Callable[[], datetime], concurrency: int
) -> Handler:
    """The handler of `transcription_requested`. The session stays as it is until an answer replaces something."""

    async def retranscribe(recorded: Recorded[TranscriptionRequested], attempt: Attempt) -> Answer:
        event, started = recorded.event, clock()
        session = await reading.session(event.session_id)
        if not isinstance(session, Session):
            return None
        try:
            heard = await listen(event.audio, blobs, speech, attempt, event.model)
        except (UnusableAudio, UnknownModel, BlobMissing) as fault:
            code, detail = reason(fault)
            return FailTranscription(
                session_id=event.session_id,
                request_id=event.request_id,
                code=code,
                detail=detail,
                attempts=attempt.number,
            )
        if event.dry_run and session.transcript:
            return ProposeTranscript(
                session_id=event.session_id,
                request_id=event.request_id,
                against=session.transcript,
                attempts=attempt.number,
                started_at=started,
                **heard,
            )
        return RecordTranscript(
            session_id=event.session_id,
            request_id=event.request_id,
            attempts=attempt.number,
            started_at=started,
            **heard,
        )

    def give_up(recorded: Recorded[TranscriptionRequested], failure: Failure) -> FailTranscription:
        return FailTranscription(
            session_id=recorded.event.session_id,
            request_id=recorded.event.request_id,
            code="TRANSCRIPTION_FAILED",
            detail=f"Transcription failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
        )

    return Handler(
        name="retranscribe",
        on=TranscriptionRequested,
        effect=retranscribe,
        give_up=give_up,
        timeout=LONGEST,
        backoff=PATIENCE,
        concurrency=concurrency,
    )
