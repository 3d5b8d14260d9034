"""From what was meant to what matters: a summary, what has to be done, and what contradicts what was known."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from events.envelope import Recorded
from events.jobsite import SessionMoved, SourceChanged, Understood
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.commands import FailStage, RecordSummary
from handlers.jobsite.session.state import Session
from infra.blobs import BlobMissing, Blobs, once
from infra.embedding import Embedder
from infra.generation import GenerationBroken, GenerationFailed, Generator
from infra.understanding import Summary
from infra.understanding.extracted import extracted
from infra.understanding.written import written

LONGEST = 900.0
"""Seconds for one attempt: a large model on a slow machine."""


Cause = Understood | SessionMoved | SourceChanged


class _Work(NamedTuple):
    """What is to be summed up, and whose job it is."""

    session_id: UUID
    job_id: UUID | None
    transcript: str
    corrections: int
    understanding: str


def summarisers(
    *,
    reading: Reading,
    blobs: Blobs,
    embedder: Embedder,
    generator: Generator | None,
    clock: Callable[[], datetime],
) -> tuple[Handler, ...]:
    """The handlers of `understood`, of a session's move to another job, and of a change of what it contradicts."""

    async def summarise(recorded: Recorded[Cause], attempt: Attempt) -> RecordSummary | FailStage | None:
        started = clock()
        if (work := _work(recorded.event)) is None:
            return None
        try:
            summary = await _summary(recorded, work)
        except BlobMissing:
            return _failed(work, "TRANSCRIPT_MISSING", "The transcript is gone from the blob store.", attempt)
        except GenerationBroken:
            raise  # as when the model server does not answer at all
        except GenerationFailed as useless:
            return _failed(work, "SUMMARY_UNUSABLE", useless.detail, attempt)
        stored = await blobs.put(once(msgspec.json.encode(summary)), media_type="application/json")
        return RecordSummary(
            session_id=work.session_id,
            job_id=work.job_id,
            transcript=work.transcript,
            corrections=work.corrections,
            blob=stored.key,
            size=stored.size,
            method=summary.method,
            action_items=tuple(each.id for each in summary.action_items),
            discrepancies=tuple(each.id for each in summary.discrepancies),
            attempts=attempt.number,
            started_at=started,
        )

    async def _summary(recorded: Recorded[Cause], work: _Work) -> Summary:
        understanding = await reading.understanding(work.understanding)
        others = await reading.compared_with(recorded, work.session_id, work.job_id)
        session = await reading.session(work.session_id)
        title = (session.title if isinstance(session, Session) else None) or "this recording"
        if generator is None:
            return await extracted(
                understanding, session_id=work.session_id, title=title, others=others, embedder=embedder
            )
        return await written(
            understanding,
            session_id=work.session_id,
            title=title,
            at=recorded.event.recorded_at or recorded.at,
            others=others,
            generator=generator,
        )

    def give_up(recorded: Recorded[Cause], failure: Failure) -> FailStage:
        event = recorded.event
        return FailStage(
            session_id=event.session_id,
            stage="summarise",
            code="SUMMARISING_FAILED",
            detail=f"Summarising failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
            transcript=event.transcript,
            corrections=event.corrections,
        )

    return tuple(
        Handler(
            name=name,
            on=on,
            effect=summarise,
            give_up=give_up,
            timeout=LONGEST,
            backoff=PATIENCE,
            concurrency=2,
        )
        for name, on in (
            ("summarise", Understood),
            ("summarise_moved", SessionMoved),
            ("summarise_reconsidered", SourceChanged),
        )
    )


def _work(event: Cause) -> _Work | None:
    """None where nothing is to be done again: it will be summed up once it is understood."""
    if isinstance(event, SessionMoved) and event.job_id == event.was:
        return None
    blob = event.blob if isinstance(event, Understood) else event.understanding
    if blob is None or event.transcript is None:
        return None
    return _Work(event.session_id, event.job_id, event.transcript, event.corrections, blob)


def _failed(work: _Work, code: str, detail: str, attempt: Attempt) -> FailStage:
    return FailStage(
        session_id=work.session_id,
        stage="summarise",
        code=code,
        detail=detail,
        attempts=attempt.number,
        transcript=work.transcript,
        corrections=work.corrections,
    )
