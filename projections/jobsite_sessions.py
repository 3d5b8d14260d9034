"""Sessions as they are read: what each fact does to them, stage by stage."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
from events.jobsite import (
    PIPELINE,
    AudioUploaded,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    Reported,
    ReportRequested,
    SessionDeleted,
    SessionMoved,
    SessionRenamed,
    SourceChanged,
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
from infra.speech import Transcript
from infra.understanding import Discrepancy, Summary
from projections.changes import Change, delete, patch, upsert
from projections.jobsite_findings import discrepancies, summarised, understood
from projections.jobsite_stages import ORDER, RESULTS, completed, failed, pending, touched, void
from projections.jobsite_tables import (
    DECISIONS,
    DISCREPANCIES,
    OF_SESSIONS,
    QUOTES,
    SESSIONS,
    STAGES,
    SUGGESTIONS,
    SUMMARIES,
)
from projections.jobsite_transcripts import said, transcribed, transcription


def session_rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    """What a fact about a session does to its rows."""
    event = recorded.event
    if (stage := RESULTS.get(type(event))) is not None:
        yield from completed(event, stage, recorded)
    match event:
        case AudioUploaded() as e:
            yield from _uploaded(e, recorded)
        case Transcribed() as e:
            yield from transcribed(e, recorded, content)
        case TranscriptCorrected() as e:
            yield from void(e.session_id, "transcribe")
            yield from said(e, recorded, content, status="processing", corrections=len(e.corrections))
        case Understood() as e:
            yield from understood(e)
        case Summarised() as e:
            yield from summarised(e, recorded, content)
        case Reported() as e:
            told = {"report_subject": e.subject, "report_html": e.html, "report_text": e.text}
            yield patch(SESSIONS, id=e.session_id, **told, **touched(recorded))
        case ReportRequested() as e:
            yield from void(e.session_id, "summarise")
            yield patch(SESSIONS, id=e.session_id, status="processing", **touched(recorded))
        case StageFailed() as e:
            yield from failed(e, recorded)
        case StageRetried() as e:
            yield from pending(e.session_id, e.stage)
            yield patch(SESSIONS, id=e.session_id, status="processing", **touched(recorded))
        case _:
            yield from _by_people(recorded, content)


def _by_people(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
    match recorded.event:
        case SessionRenamed() as e:
            yield patch(SESSIONS, id=e.session_id, title=e.title, **touched(recorded))
        case SessionMoved() as e:
            yield delete(SUGGESTIONS, session_id=e.session_id)
            yield patch(SESSIONS, id=e.session_id, job_id=e.job_id, **touched(recorded))
            if e.understanding and e.job_id != e.was:
                yield from void(e.session_id, "understand")
                yield patch(SESSIONS, id=e.session_id, status="processing")
            elif e.job_id != e.was:
                yield from pending(e.session_id, "index")
        case SourceChanged() as e:
            yield from _reconsidered(e, recorded)
        case DiscrepanciesFound() as e:
            yield from discrepancies(content or (), e, recorded)
            yield patch(SESSIONS, id=e.session_id, **touched(recorded))
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
            yield patch(SESSIONS, id=e.session_id, **touched(recorded))
        case TranscriptionRequested() | TranscriptProposed() | TranscriptionFailed():
            yield from transcription(recorded)
        case SessionDeleted() as e:
            for table in OF_SESSIONS:
                yield delete(table, **{table.key[0]: e.session_id})


def _reconsidered(e: SourceChanged, recorded: Recorded[Any]) -> Iterator[Change]:
    """What quotes something deleted goes at once; the rest stays until it is made anew."""
    if e.gone:
        yield delete(DISCREPANCIES, session_id=e.session_id)
        yield delete(SUMMARIES, session_id=e.session_id)
        for blob in e.forgotten:
            yield delete(QUOTES, session_id=e.session_id, blob=blob)
        yield patch(SESSIONS, id=e.session_id, report_subject=None, report_html=None, report_text=None)
    if e.understanding:
        yield from pending(e.session_id, "summarise")
        yield from void(e.session_id, "summarise")
        yield patch(SESSIONS, id=e.session_id, status="processing")
    yield patch(SESSIONS, id=e.session_id, **touched(recorded))


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
        **touched(recorded),
    )
    for stage in PIPELINE:
        yield upsert(
            STAGES, session_id=e.session_id, n=ORDER.index(stage), stage=stage, state="pending", attempts=0
        )
