"""What people want of a recording, as events."""

from collections.abc import Sequence
from typing import get_args

from events.jobsite import (
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    ReportRequested,
    SessionEvent,
    SessionMoved,
    SessionRenamed,
    Stage,
    StageRetried,
    TranscriptCorrected,
    TranscriptionRequested,
)
from handlers.commands import as_told
from handlers.jobsite.session.answers import about, transcribed
from handlers.jobsite.session.commands import (
    AcceptTranscript,
    CorrectTranscript,
    DecideDiscrepancy,
    MoveSession,
    RenameSession,
    RequestReport,
    RequestTranscription,
    RetryStage,
    SessionCommand,
)
from handlers.jobsite.session.state import Session
from handlers.refusals import Conflict, NotFound

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


def asked(command: SessionCommand, s: Session) -> Sequence[SessionEvent]:
    """What people want. What is so already needs no event."""
    match command:
        case RetryStage() as c:
            return _retried(c, s)
        case RequestReport() as c:
            return _report_again(c, s)
        case RequestTranscription() as c:
            known = c.request_id in s.requests or c.request_id in s.taken
            return [] if known else [as_told(TranscriptionRequested, c, audio=s.audio)]
        case AcceptTranscript() as c:
            return _accepted(c, s)
        case CorrectTranscript() as c:
            return _corrected(c, s)
        case RenameSession() as c:
            return [] if c.title == s.title else [as_told(SessionRenamed, c)]
        case MoveSession() as c:
            return [] if c.job_id == s.job_id and s.chosen and not c.misheard else [_moved(c, s)]
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
        **about(s),
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
    if c.request_id in s.taken:
        return []
    if (proposed := s.requests.get(c.request_id)) is None:
        raise NotFound("NO_SUCH_PROPOSAL", f"No transcript was proposed under {c.request_id}.")
    return [transcribed(proposed, s)]


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
        misheard=c.misheard,
    )


def _decided(c: DecideDiscrepancy, s: Session) -> Sequence[SessionEvent]:
    if c.discrepancy_id not in s.discrepancies:
        raise NotFound("DISCREPANCY_NOT_FOUND", f"There is no discrepancy {c.discrepancy_id}.")
    same_note = c.note in {"", s.notes.get(c.discrepancy_id)}
    if s.decided.get(c.discrepancy_id) == c.accepted and same_note:
        return []
    return [as_told(DiscrepancyAccepted if c.accepted else DiscrepancyDismissed, c)]
