"""Sessions as they are read: their stages, what was said, what it meant, and what contradicts it."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from events.envelope import Recorded
from events.jobsite import (
    BELOW,
    PIPELINE,
    AudioUploaded,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    Indexed,
    Notified,
    Reported,
    ReportRequested,
    SessionDeleted,
    SessionMoved,
    SessionRenamed,
    Stage,
    StageFailed,
    StageRetried,
    Summarised,
    Transcribed,
    TranscriptCorrected,
    TranscriptionFailed,
    TranscriptionRequested,
    TranscriptProposed,
    Understood,
)
from infra.chunking import full_text, segment_spans
from infra.speech import Segment, Transcript
from infra.speech.corrections import corrected
from infra.understanding import Discrepancy, Summary
from projections.changes import Change, delete, patch, upsert
from projections.jobsite_tables import (
    DECISIONS,
    DISCREPANCIES,
    OF_SESSIONS,
    SEGMENTS,
    SESSIONS,
    STAGES,
    SUGGESTIONS,
    SUMMARIES,
    TRANSCRIPTIONS,
)

ORDER: tuple[Stage, ...] = get_args(Stage)
RESULTS: dict[type[Any], Stage] = {
    Transcribed: "transcribe",
    Understood: "understand",
    Summarised: "summarise",
    Indexed: "index",
    Reported: "report",
    Notified: "notify",
}


def session_rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    """What a fact about a session does to its rows."""
    event = recorded.event
    if (stage := RESULTS.get(type(event))) is not None:
        yield from _completed(event, stage, recorded)
    match event:
        case AudioUploaded() as e:
            yield from _uploaded(e, recorded)
        case Transcribed() as e:
            yield from _transcribed(e, recorded, content)
        case TranscriptCorrected() as e:
            yield from _void(e.session_id, "transcribe")
            yield from _said(e, recorded, content, status="processing", corrections=len(e.corrections))
        case Understood() as e:
            yield from _understood(e, recorded)
        case Summarised() as e:
            yield from _summarised(e, recorded, content)
        case Reported() as e:
            told = {"report_subject": e.subject, "report_html": e.html, "report_text": e.text}
            yield patch(SESSIONS, id=e.session_id, **told, **_touched(recorded))
        case ReportRequested() as e:
            yield from _void(e.session_id, "summarise")
            yield patch(SESSIONS, id=e.session_id, status="processing", **_touched(recorded))
        case StageFailed() as e:
            yield from _failed(e, recorded)
        case StageRetried() as e:
            yield from _pending(e.session_id, e.stage)
            yield patch(SESSIONS, id=e.session_id, status="processing", **_touched(recorded))
        case _:
            yield from _by_people(recorded, content)


def _by_people(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    match recorded.event:
        case SessionRenamed() as e:
            yield patch(SESSIONS, id=e.session_id, title=e.title, **_touched(recorded))
        case SessionMoved() as e:
            yield patch(SESSIONS, id=e.session_id, job_id=e.job_id, **_touched(recorded))
            if e.understanding and e.job_id != e.was:
                yield from _void(e.session_id, "understand")
                yield patch(SESSIONS, id=e.session_id, status="processing")
            elif e.job_id != e.was:
                yield from _pending(e.session_id, "index")
        case DiscrepanciesFound() as e:
            yield from _discrepancies(content or (), e, recorded)
            yield patch(SESSIONS, id=e.session_id, **_touched(recorded))
        case DiscrepancyAccepted() | DiscrepancyDismissed() as e:
            yield upsert(
                DECISIONS,
                session_id=e.session_id,
                discrepancy_id=e.discrepancy_id,
                decision="accepted" if isinstance(e, DiscrepancyAccepted) else "dismissed",
                note=e.note,
                decided_by=recorded.actor,
                decided_at=recorded.at,
            )
            yield patch(SESSIONS, id=e.session_id, **_touched(recorded))
        case TranscriptionRequested() | TranscriptProposed() | TranscriptionFailed():
            yield from _transcription(recorded)
        case SessionDeleted() as e:
            for table in OF_SESSIONS:
                yield delete(table, **{table.key[0]: e.session_id})


def session_blob(event: Any) -> str | None:
    """The blob that an event's rows need."""
    match event:
        case Transcribed() | Summarised() | DiscrepanciesFound():
            return event.blob
        case TranscriptCorrected():
            return event.transcript
    return None


def session_content(event: Any, data: bytes) -> Any:
    """What is in it."""
    match event:
        case Summarised():
            return msgspec.json.decode(data, type=Summary)
        case DiscrepanciesFound():
            return msgspec.json.decode(data, type=tuple[Discrepancy, ...])
    return msgspec.json.decode(data, type=Transcript)


def _touched(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"updated_at": recorded.at, "revision": recorded.position}


def _uploaded(e: AudioUploaded, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        SESSIONS,
        id=e.session_id,
        upload_id=e.upload_id,
        job_id=e.job_id,
        title=e.title,
        status="accepted",
        file_name=e.file_name,
        media_type=e.media_type,
        blob=e.blob,
        size=e.size,
        notify_email=e.notify_email,
        recorded_at=e.recorded_at,
        uploaded_at=recorded.at,
        uploaded_by=recorded.actor,
        corrections=0,
        position=recorded.position,
        **_touched(recorded),
    )
    for stage in PIPELINE:
        yield upsert(
            STAGES, session_id=e.session_id, n=ORDER.index(stage), stage=stage, state="pending", attempts=0
        )


def _pending(session_id: Any, *stages: Stage) -> Iterator[Change]:
    nothing = dict.fromkeys(("started_at", "finished_at", "error_code", "error_detail"))
    for stage in stages:
        yield patch(
            STAGES, session_id=session_id, n=ORDER.index(stage), state="pending", attempts=0, **nothing
        )


def _void(session_id: Any, stage: Stage) -> Iterator[Change]:
    """What follows from a stage has to be done again."""
    yield from _pending(session_id, *BELOW[stage])


def _completed(e: Any, stage: Stage, recorded: Recorded[Any]) -> Iterator[Change]:
    yield from _void(e.session_id, stage)
    yield patch(
        STAGES,
        session_id=e.session_id,
        n=ORDER.index(stage),
        state="completed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=recorded.at,
        error_code=None,
        error_detail=None,
    )
    yield patch(SESSIONS, id=e.session_id, status=e.status, **_touched(recorded))


def _failed(e: StageFailed, recorded: Recorded[Any]) -> Iterator[Change]:
    yield patch(SESSIONS, id=e.session_id, status="failed", **_touched(recorded))
    yield patch(
        STAGES,
        session_id=e.session_id,
        n=ORDER.index(e.stage),
        state="failed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=recorded.at,
        error_code=e.code,
        error_detail=e.detail,
    )


def _transcribed(e: Transcribed, recorded: Recorded[Any], content: Transcript | None) -> Iterator[Change]:
    about = {"seconds": e.seconds, "language": e.language, "model": e.model, "words": e.words}
    yield from _said(e, recorded, content, **about, corrections=len(e.corrections))
    if e.request_id:
        yield patch(
            TRANSCRIPTIONS,
            session_id=e.session_id,
            request_id=e.request_id,
            state="accepted",
            updated_at=recorded.at,
        )


def _said(
    e: Transcribed | TranscriptCorrected, recorded: Recorded[Any], content: Transcript | None, **about: Any
) -> Iterator[Change]:
    segments = corrected(content, e.corrections).segments if content else ()
    text = full_text(segments) if content else None
    yield patch(SESSIONS, id=e.session_id, transcript=text, **about, **_touched(recorded))
    yield delete(SEGMENTS, session_id=e.session_id)
    for n, (segment, (first, last)) in enumerate(zip(segments, segment_spans(segments), strict=True)):
        yield _segment(e.session_id, n, segment, first, last)


def _segment(session_id: Any, n: int, segment: Segment, first: int, last: int) -> Change:
    return upsert(
        SEGMENTS,
        session_id=session_id,
        n=n,
        text=segment.text,
        start_s=segment.start,
        end_s=segment.end,
        start_char=first,
        end_char=last,
        confidence=segment.confidence,
        speaker=segment.speaker,
        words=msgspec.json.encode(segment.words).decode(),
    )


def _understood(e: Understood, recorded: Recorded[Any]) -> Iterator[Change]:
    yield patch(SESSIONS, id=e.session_id, job_id=e.job_id, understood_by=e.method)
    yield delete(SUGGESTIONS, session_id=e.session_id)
    for n, each in enumerate(e.suggestions):
        yield upsert(
            SUGGESTIONS,
            session_id=e.session_id,
            n=n,
            kind=each.kind,
            said=each.said,
            candidate_id=each.id,
            candidate=each.name,
            similarity=each.similarity,
        )


def _summarised(e: Summarised, recorded: Recorded[Any], content: Summary | None) -> Iterator[Change]:
    yield delete(DISCREPANCIES, session_id=e.session_id)
    if content is None:
        return
    yield upsert(
        SUMMARIES,
        session_id=e.session_id,
        text=content.text,
        method=content.method,
        sentences=msgspec.json.encode(content.sentences).decode(),
        notes=msgspec.json.encode(content.notes).decode(),
        made_at=recorded.at,
    )
    yield from _discrepancies(content.discrepancies, e, recorded)


def _discrepancies(
    found: tuple[Discrepancy, ...], e: Summarised | DiscrepanciesFound, recorded: Recorded[Any]
) -> Iterator[Change]:
    for each in found:
        if each.id in e.discrepancies:
            yield upsert(
                DISCREPANCIES,
                session_id=e.session_id,
                id=each.id,
                kind=each.kind,
                about=each.about,
                detail=each.detail,
                said=msgspec.json.encode(each.said).decode(),
                against=msgspec.json.encode(each.against).decode(),
                method=each.method,
                found_at=recorded.at,
                position=recorded.position,
            )


def _transcription(recorded: Recorded[Any]) -> Iterator[Change]:
    """A request for another transcript, and what came of it."""
    event = recorded.event
    key = {"session_id": event.session_id, "request_id": event.request_id}
    match event:
        case TranscriptionRequested() as e:
            asked = {"model": e.model, "dry_run": e.dry_run, "requested_at": recorded.at}
            yield upsert(TRANSCRIPTIONS, **key, state="requested", **asked, updated_at=recorded.at)
        case TranscriptProposed() as e:
            found = {"blob": e.blob, "model": e.model, "words": e.words, "against": e.against}
            yield patch(TRANSCRIPTIONS, **key, state="proposed", **found, updated_at=recorded.at)
        case TranscriptionFailed() as e:
            error = {"error_code": e.code, "error_detail": e.detail}
            yield patch(TRANSCRIPTIONS, **key, state="failed", **error, updated_at=recorded.at)
