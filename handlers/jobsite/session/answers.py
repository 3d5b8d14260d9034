"""What the stages of a recording have come to, as events."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import structs

from events.jobsite import (
    DiscrepanciesFound,
    Indexed,
    Notified,
    Reported,
    SessionDeleted,
    SessionEvent,
    SourceChanged,
    StageFailed,
    Summarised,
    Transcribed,
    TranscriptionFailed,
    TranscriptProposed,
    Understood,
)
from handlers.commands import as_told
from handlers.jobsite.session.commands import (
    DeleteSession,
    FailStage,
    FailTranscription,
    ProposeTranscript,
    Reconsider,
    RecordDiscrepancies,
    RecordIndex,
    RecordNotified,
    RecordReport,
    RecordSummary,
    RecordTranscript,
    RecordUnderstanding,
    SessionCommand,
)
from handlers.jobsite.session.state import Session, evolve

R = TypeVar("R", bound=SessionEvent)


def told(command: SessionCommand, s: Session) -> Sequence[SessionEvent]:
    """What handlers have come to. A second answer changes nothing; neither does one about what no longer holds."""
    match command:
        case RecordTranscript() as c:
            wanted = c.request_id in s.requests if c.request_id else s.transcript is None
            return [transcribed(c, s)] if wanted else []
        case ProposeTranscript() as c:
            open_ = c.request_id in s.requests and s.requests[c.request_id] is None
            return [as_told(TranscriptProposed, c)] if open_ else []
        case FailTranscription() as c:
            return [as_told(TranscriptionFailed, c)] if c.request_id in s.requests else []
        case RecordUnderstanding() as c:
            return _understood(c, s)
        case RecordSummary() as c:
            return _summarised(c, s)
        case RecordDiscrepancies() as c:
            news = tuple([each for each in c.discrepancies if each not in s.discrepancies])
            return [as_told(DiscrepanciesFound, structs.replace(c, discrepancies=news))] if news else []
        case Reconsider() as c:
            return _reconsidered(c, s)
        case RecordIndex() as c:
            fresh = s.holds(c.transcript, c.corrections) and c.index not in s.indexes
            event = as_told(Indexed, structs.replace(c, recorded_at=s.recorded_at or c.recorded_at))
            return [with_status(event, s)] if fresh else []
        case RecordReport() as c:
            return _reported(c, s)
        case RecordNotified() as c:
            fresh = c.edition == s.report and "notify" not in s.done
            return [with_status(as_told(Notified, c), s)] if fresh else []
        case FailStage() as c:
            over = c.stage in s.failed | s.done or not s.holds(c.transcript, c.corrections)
            return [] if over else [as_told(StageFailed, c)]
        case DeleteSession() as c:
            return [SessionDeleted(session_id=c.session_id)]
    return []  # the same recording again


def with_status(event: R, s: Session) -> R:
    """The event with what it makes of the whole session."""
    after = evolve(s, event)
    return structs.replace(event, status=after.status) if isinstance(after, Session) else event


def transcribed(found: RecordTranscript | TranscriptProposed, s: Session) -> Transcribed:
    """A transcript that holds from now on, with all corrections so far."""
    known = {name: getattr(found, name) for name in Transcribed.__struct_fields__ if hasattr(found, name)}
    known |= {"corrections": s.corrections, "job_chosen": s.chosen, "recorded_at": s.recorded_at}
    return with_status(Transcribed(**known), s)


def _understood(c: RecordUnderstanding, s: Session) -> Sequence[SessionEvent]:
    if not s.transcript or not s.holds(c.transcript, c.corrections) or "understand" in s.done:
        return []
    job = s.job_id if s.chosen else c.job_id
    before = s.understood.action_items if s.understood else ()
    event = as_told(
        Understood,
        structs.replace(c, job_id=job, builder_id=c.builder_id if job == c.job_id else None),
        withdrawn=tuple([each for each in before if each not in c.action_items]),
        recorded_at=s.recorded_at,
    )
    return [with_status(event, s)]


def _summarised(c: RecordSummary, s: Session) -> Sequence[SessionEvent]:
    ready = "understand" in s.done and "summarise" not in s.done
    if not ready or not s.holds(c.transcript, c.corrections) or c.job_id != s.job_id:
        return []
    before = s.summarised.action_items if s.summarised else ()
    withdrawn = tuple([each for each in before if each not in c.action_items])
    event = as_told(Summarised, c, withdrawn=withdrawn, **about(s))
    return [with_status(event, s)]


def _reconsidered(c: Reconsider, s: Session) -> Sequence[SessionEvent]:
    """Where it is not understood, or not summed up yet, it is compared with what is there then, or once more."""
    if s.understood is None or not {"understand", "summarise"} <= s.done:
        return [] if not c.forgotten else [as_told(SourceChanged, c)]
    event = as_told(
        SourceChanged,
        c,
        transcript=s.transcript,
        corrections=len(s.corrections),
        understanding=s.understood.blob,
        recorded_at=s.recorded_at,
    )
    return [event]


def about(s: Session) -> dict[str, Any]:
    """What a report needs to know of a recording."""
    return {"title": s.title, "notify_email": s.notify_email, "recorded_at": s.recorded_at}


def _reported(c: RecordReport, s: Session) -> Sequence[SessionEvent]:
    made = s.summarised
    if made is None or "summarise" not in s.done or "report" in s.done or c.summary != made.blob:
        return []
    event = as_told(
        Reported,
        c,
        transcript=made.transcript,
        corrections=made.corrections,
        edition=s.editions + 1,
        request_id=s.asked,
    )
    return [with_status(event, s)]
