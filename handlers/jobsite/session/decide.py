"""Rules of a session: what may happen to a recording, and in which order."""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args
from uuid import UUID

from msgspec import structs

from events.jobsite import (
    AudioUploaded,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    Indexed,
    Notified,
    Reported,
    ReportRequested,
    SessionDeleted,
    SessionEvent,
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
from handlers.commands import Decider, as_told
from handlers.jobsite.session.commands import (
    AcceptTranscript,
    CorrectTranscript,
    DecideDiscrepancy,
    DeleteSession,
    FailStage,
    FailTranscription,
    MoveSession,
    ProposeTranscript,
    RecordDiscrepancies,
    RecordIndex,
    RecordNotified,
    RecordReport,
    RecordSummary,
    RecordTranscript,
    RecordUnderstanding,
    RenameSession,
    RequestReport,
    RequestTranscription,
    RetryStage,
    SessionCommand,
    UploadAudio,
)
from handlers.jobsite.session.state import Absent, Deleted, Session, State, evolve
from handlers.refusals import Conflict, NotFound, deleted_since

MOST_CORRECTIONS = 1000
"""Every one is repeated by each event about the transcript."""
NEEDS: dict[Stage, Stage] = {
    "understand": "transcribe",
    "summarise": "understand",
    "index": "understand",
    "report": "summarise",
    "notify": "report",
}
"""What must have ended well before a stage can be tried."""

R = TypeVar("R", bound=SessionEvent)
ORDER: tuple[Stage, ...] = get_args(Stage)
ASKED = (
    RetryStage,
    RequestReport,
    RequestTranscription,
    AcceptTranscript,
    CorrectTranscript,
    RenameSession,
    MoveSession,
    DecideDiscrepancy,
)
"""What people ask for: they are told when there is no such session. Handlers come late, and are not heard."""


def decide(command: SessionCommand, state: State) -> Sequence[SessionEvent]:
    match state:
        case Session():
            events = _asked(command, state) if isinstance(command, ASKED) else _told(command, state)
            return [_of_job(event, state.job_id) for event in events]
        case Absent() if isinstance(command, UploadAudio):
            return [as_told(AudioUploaded, command)]
        case Deleted() if isinstance(command, UploadAudio):
            raise deleted_since("session", command.session_id)
        case Deleted() if isinstance(command, DeleteSession):
            return []
        case Absent() | Deleted() if isinstance(command, (*ASKED, DeleteSession)):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {command.session_id}.")
    return []


def _of_job(event: SessionEvent, job_id: UUID | None) -> SessionEvent:
    """Every event tells whose job it concerns."""
    return event if isinstance(event, Understood | SessionMoved) else structs.replace(event, job_id=job_id)


def _told(command: SessionCommand, s: Session) -> Sequence[SessionEvent]:
    """What handlers have come to. A second answer changes nothing; neither does one about what no longer holds."""
    match command:
        case RecordTranscript() as c:
            wanted = c.request_id in s.requests if c.request_id else s.transcript is None
            return [_transcribed(c, s)] if wanted else []
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
        case RecordIndex() as c:
            fresh = s.holds(c.transcript, c.corrections) and c.index not in s.indexes
            event = as_told(Indexed, c, recorded_at=s.recorded_at)
            return [_with_status(event, s)] if fresh else []
        case RecordReport() as c:
            return _reported(c, s)
        case RecordNotified() as c:
            fresh = c.edition == s.report and "notify" not in s.done
            return [_with_status(as_told(Notified, c), s)] if fresh else []
        case FailStage() as c:
            over = c.stage in s.failed | s.done or not s.holds(c.transcript, c.corrections)
            return [] if over else [as_told(StageFailed, c)]
        case DeleteSession() as c:
            return [SessionDeleted(session_id=c.session_id)]
    return []  # the same recording again


def _with_status(event: R, s: Session) -> R:
    """The event with what it makes of the whole session."""
    after = evolve(s, event)
    return structs.replace(event, status=after.status) if isinstance(after, Session) else event


def _transcribed(found: RecordTranscript | TranscriptProposed, s: Session) -> Transcribed:
    known = {name: getattr(found, name) for name in Transcribed.__struct_fields__ if hasattr(found, name)}
    known |= {"corrections": s.corrections, "job_chosen": s.chosen, "recorded_at": s.recorded_at}
    return _with_status(Transcribed(**known), s)


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
    return [_with_status(event, s)]


def _summarised(c: RecordSummary, s: Session) -> Sequence[SessionEvent]:
    ready = "understand" in s.done and "summarise" not in s.done
    if not ready or not s.holds(c.transcript, c.corrections) or c.job_id != s.job_id:
        return []
    before = s.summarised.action_items if s.summarised else ()
    withdrawn = tuple([each for each in before if each not in c.action_items])
    event = as_told(Summarised, c, withdrawn=withdrawn, **_about(s))
    return [_with_status(event, s)]


def _about(s: Session) -> dict[str, Any]:
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
    return [_with_status(event, s)]


def _asked(command: SessionCommand, s: Session) -> Sequence[SessionEvent]:
    """What people want. What is so already needs no event."""
    match command:
        case RetryStage() as c:
            return _retried(c, s)
        case RequestReport() as c:
            return _report_again(c, s)
        case RequestTranscription() as c:
            known = c.request_id in s.requests or c.request_id in s.closed
            return [] if known else [as_told(TranscriptionRequested, c, audio=s.audio)]
        case AcceptTranscript() as c:
            return _accepted(c, s)
        case CorrectTranscript() as c:
            return _corrected(c, s)
        case RenameSession() as c:
            return [] if c.title == s.title else [as_told(SessionRenamed, c)]
        case MoveSession() as c:
            return [] if c.job_id == s.job_id and s.chosen else [_moved(c, s)]
        case DecideDiscrepancy() as c:
            return _decided(c, s)
    return []


def _retried(c: RetryStage, s: Session) -> Sequence[SessionEvent]:
    stage = c.stage or next((each for each in ORDER if each in s.failed), None)
    if stage is None or stage not in s.failed:
        which = f"The stage {stage!r} has not failed" if stage else "No stage has failed"
        raise Conflict("NOTHING_TO_RETRY", f"{which}; only a failed stage can be retried.")
    if (before := NEEDS.get(stage)) and before not in s.done and not _without(stage, s):
        raise Conflict("STAGE_NOT_READY", f"{stage} needs {before}, which has not ended well yet.")
    event = StageRetried(
        session_id=c.session_id,
        stage=stage,
        retry=s.retries.get(stage, 0) + 1,
        audio=s.audio,
        transcript=s.transcript,
        corrections=len(s.corrections),
        understanding=s.understood.blob if s.understood else None,
        summary=s.summarised.blob if s.summarised else None,
        **_about(s),
    )
    return [event]


def _without(stage: Stage, s: Session) -> bool:
    """What could not be understood is searched all the same."""
    return stage == "index" and "understand" in s.failed


def _report_again(c: RequestReport, s: Session) -> Sequence[SessionEvent]:
    if s.summarised is None or "summarise" not in s.done:
        raise Conflict(
            "NOT_SUMMARISED", "The recording is not summed up yet; a report can be made after that."
        )
    if s.asked is not None and "report" not in s.failed:
        return []
    event = ReportRequested(session_id=c.session_id, request_id=c.request_id, summary=s.summarised.blob)
    return [event]


def _accepted(c: AcceptTranscript, s: Session) -> Sequence[SessionEvent]:
    if c.request_id in s.closed:
        return []
    if (proposed := s.requests.get(c.request_id)) is None:
        raise NotFound("NO_SUCH_PROPOSAL", f"No transcript was proposed under {c.request_id}.")
    return [_transcribed(proposed, s)]


def _corrected(c: CorrectTranscript, s: Session) -> Sequence[SessionEvent]:
    if c.transcript != s.transcript or c.known != len(s.corrections):
        raise Conflict("TRANSCRIPT_CHANGED", "The transcript has changed meanwhile; read it and try again.")
    if len(s.corrections) + len(c.corrections) > MOST_CORRECTIONS:
        raise Conflict(
            "TOO_MANY_CORRECTIONS", f"A transcript can be corrected {MOST_CORRECTIONS:,} times at most."
        )
    if not c.corrections:
        return []
    every = (*s.corrections, *c.corrections)
    event = TranscriptCorrected(
        session_id=c.session_id,
        transcript=c.transcript,
        corrections=every,
        job_chosen=s.chosen,
        recorded_at=s.recorded_at,
    )
    return [event]


def _moved(c: MoveSession, s: Session) -> SessionMoved:
    results = [each for each in (s.understood, s.summarised) if each]
    return SessionMoved(
        session_id=c.session_id,
        job_id=c.job_id,
        was=s.job_id,
        transcript=s.transcript,
        corrections=len(s.corrections),
        understanding=s.understood.blob if s.understood and "understand" in s.done else None,
        chunk_sets=dict(s.chunk_sets),
        action_items=tuple(dict.fromkeys(each for made in results for each in made.action_items)),
        recorded_at=s.recorded_at,
    )


def _decided(c: DecideDiscrepancy, s: Session) -> Sequence[SessionEvent]:
    if c.discrepancy_id not in s.discrepancies:
        raise NotFound("DISCREPANCY_NOT_FOUND", f"There is no discrepancy {c.discrepancy_id}.")
    if s.decided.get(c.discrepancy_id) == c.accepted:
        return []
    return [as_told(DiscrepancyAccepted if c.accepted else DiscrepancyDismissed, c)]


SESSIONS: Decider[SessionCommand, State] = Decider(
    "jobsite", "session", get_args(SessionCommand), Absent(), decide, evolve, creates=(UploadAudio,)
)
