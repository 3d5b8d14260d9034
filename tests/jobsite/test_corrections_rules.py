"""Rules of what people set right: corrections, moves, other transcripts, retries; and the end of a recording."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from events.envelope import Event
from events.jobsite import (
    AudioUploaded,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    SessionDeleted,
    SessionMoved,
    SessionRenamed,
    SpeakerCorrection,
    TextCorrection,
    TranscriptCorrected,
    TranscriptionFailed,
    TranscriptionRequested,
    TranscriptProposed,
)
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
    RenameSession,
    RequestTranscription,
    RetryStage,
)
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.session.wishes import MOST_CORRECTIONS
from handlers.refusals import Conflict, NotFound
from tests.jobsite.facts import (
    FAILED,
    INDEX_FAILED,
    INDEXED,
    JOB,
    MONDAY,
    NOTIFIED,
    REPORTED,
    SESSION,
    SUMMARISED,
    TRANSCRIBED,
    UNDERSTOOD,
    UPLOADED,
    fail,
    given,
    index,
    notify,
    report,
    summarise,
    transcribe,
    understand,
)

OTHER, FOUND, REQUEST = UUID(int=4), UUID(int=70), UUID(int=80)
FIX = TextCorrection(start=2.5, end=4.0, text="Order drywall screws.", was="Order drywall.")
NAME = SpeakerCorrection(name="Ann", spans=((0.0, 2.0),))
LIFE = (UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED, SUMMARISED, REPORTED, NOTIFIED)
CORRECTED = TranscriptCorrected(
    session_id=SESSION,
    job_id=JOB,
    transcript="bb",
    corrections=(FIX,),
    job_chosen=True,
    recorded_at=MONDAY,
)
REQUESTED = TranscriptionRequested(
    session_id=SESSION, job_id=JOB, request_id=REQUEST, audio="aa", model="large", dry_run=True
)
_OTHER: dict[str, Any] = {
    "session_id": SESSION,
    "request_id": REQUEST,
    "blob": "b2",
    "size": 1,
    "seconds": 4.5,
    "segments": 1,
    "words": 9,
    "language": "en",
    "model": "large",
}
propose = ProposeTranscript(**_OTHER, against="bb")
PROPOSED = TranscriptProposed(**_OTHER, against="bb", job_id=JOB)
correct = CorrectTranscript(session_id=SESSION, transcript="bb", known=0, corrections=(FIX,))


def changed(event: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(event, **fields)


def test_a_correction_makes_everything_below_the_transcript_anew() -> None:
    given(*LIFE).when(correct).then(CORRECTED)
    given(*LIFE, CORRECTED).when(understand, summarise, index, report, notify).then()
    again = [changed(each, corrections=1) for each in (understand, summarise, index)]
    second = changed(report, summary="ss")
    given(*LIFE, CORRECTED).when(*again, second, changed(notify, edition=2)).then(
        changed(UNDERSTOOD, corrections=1),
        changed(SUMMARISED, corrections=1),
        changed(INDEXED, corrections=1),
        changed(REPORTED, corrections=1, edition=2),
        changed(NOTIFIED, edition=2),
    )


def test_corrections_add_up_and_each_is_made_of_what_its_author_saw() -> None:
    given(*LIFE, CORRECTED).when(correct).refused(Conflict, "TRANSCRIPT_CHANGED")
    named = changed(correct, known=1, corrections=(NAME,))
    given(*LIFE, CORRECTED).when(named).then(changed(CORRECTED, corrections=(FIX, NAME)))
    given(*LIFE).when(changed(correct, transcript="older")).refused(Conflict, "TRANSCRIPT_CHANGED")
    given(UPLOADED).when(correct).refused(Conflict, "TRANSCRIPT_CHANGED")
    many = changed(correct, corrections=(FIX,) * (MOST_CORRECTIONS + 1))
    given(*LIFE).when(many).refused(Conflict, "TOO_MANY_CORRECTIONS")


def test_another_transcript_is_proposed_and_replaces_the_first_only_when_it_is_accepted() -> None:
    ask = RequestTranscription(session_id=SESSION, request_id=REQUEST, model="large", dry_run=True)
    accept = AcceptTranscript(session_id=SESSION, request_id=REQUEST)
    told = changed(TRANSCRIBED, **_OTHER, corrections=(FIX,), attempts=1, started_at=None)
    given(*LIFE, CORRECTED).when(ask, ask, propose, propose, accept, accept).then(REQUESTED, PROPOSED, told)
    given(*LIFE, REQUESTED).when(accept).refused(NotFound, "NO_SUCH_PROPOSAL")
    given(*LIFE).when(propose).then()


def test_a_transcript_that_was_asked_for_replaces_the_first_at_once_without_a_dry_run() -> None:
    direct = changed(REQUESTED, dry_run=False)
    answer = changed(transcribe, blob="b2", request_id=REQUEST)
    told = changed(TRANSCRIBED, blob="b2", request_id=REQUEST)
    given(*LIFE, direct).when(answer, answer).then(told)
    given(*LIFE, direct, told).when(index, summarise).then()


def test_a_transcription_that_fails_leaves_the_session_as_good_as_before() -> None:
    failing = FailTranscription(session_id=SESSION, request_id=REQUEST, code="C", detail="d")
    failure = TranscriptionFailed(session_id=SESSION, job_id=JOB, request_id=REQUEST, code="C", detail="d")
    given(*LIFE, REQUESTED).when(failing, failing, propose).then(failure)
    assert SESSIONS.evolve(folded(*LIFE, REQUESTED), failure).status == "completed"
    accept = AcceptTranscript(session_id=SESSION, request_id=REQUEST)
    given(*LIFE, REQUESTED, failure).when(accept).refused(NotFound, "NO_SUCH_PROPOSAL")


def test_people_move_a_session_whatever_was_said_in_it() -> None:
    move = MoveSession(session_id=SESSION, job_id=OTHER)
    moved = SessionMoved(
        session_id=SESSION,
        job_id=OTHER,
        was=JOB,
        transcript="bb",
        understanding="uu",
        chunk_sets={INDEXED.index: "cc"},
        recorded_at=MONDAY,
    )
    given(*LIFE).when(move, move).then(moved)
    of_other = [changed(each, job_id=OTHER) for each in (INDEXED, SUMMARISED)]
    given(*LIFE, moved).when(index, summarise, changed(summarise, job_id=OTHER)).then(*of_other)
    corrected_again = changed(understand, corrections=1, job_id=JOB)
    given(*LIFE, moved, changed(CORRECTED, job_id=OTHER)).when(corrected_again).then(
        changed(UNDERSTOOD, corrections=1, job_id=OTHER)
    )


def test_what_is_said_counts_only_where_nobody_chose_the_job() -> None:
    homeless = changed(UPLOADED, job_id=None)
    heard = changed(TRANSCRIBED, job_id=None, job_chosen=False)
    said = changed(understand, job_id=OTHER, builder_id=REQUEST)
    told = changed(UNDERSTOOD, job_id=OTHER, builder_id=REQUEST)
    given(homeless, heard).when(said).then(told)
    given(UPLOADED, TRANSCRIBED).when(said).then(UNDERSTOOD)


def test_action_items_that_are_no_longer_said_are_withdrawn() -> None:
    before = changed(UNDERSTOOD, action_items=(FOUND, OTHER))
    now = changed(understand, corrections=1, action_items=(OTHER,))
    told = changed(UNDERSTOOD, corrections=1, action_items=(OTHER,), withdrawn=(FOUND,))
    given(UPLOADED, TRANSCRIBED, before, CORRECTED).when(now).then(told)


def test_a_title_changes_once() -> None:
    rename = RenameSession(session_id=SESSION, title="Cellar")
    given(*LIFE).when(rename, rename).then(SessionRenamed(session_id=SESSION, job_id=JOB, title="Cellar"))


def test_a_failure_of_an_older_transcript_is_dropped() -> None:
    late = FailStage(session_id=SESSION, stage="index", code="C", detail="d", transcript="bb", corrections=0)
    given(*LIFE, CORRECTED).when(late, changed(late, transcript="b0", corrections=1)).then()


def test_a_summary_of_another_job_or_transcript_is_dropped() -> None:
    for other in ({"job_id": OTHER}, {"transcript": "b0"}, {"corrections": 1}):
        given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(changed(summarise, **other)).then()
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, SUMMARISED).when(changed(report, summary="older")).then()
    given(UPLOADED, TRANSCRIBED).when(summarise).then()


def test_discrepancies_are_found_once_and_decided_by_people() -> None:
    later = RecordDiscrepancies(
        session_id=SESSION, blob="dd", size=1, method="m", discrepancies=(FOUND, OTHER), attachment_id=JOB
    )
    news = DiscrepanciesFound(
        session_id=SESSION,
        job_id=JOB,
        blob="dd",
        size=1,
        method="m",
        discrepancies=(OTHER,),
        attachment_id=JOB,
    )
    accept = DecideDiscrepancy(session_id=SESSION, discrepancy_id=FOUND, accepted=True, note="Called.")
    dismiss = changed(accept, accepted=False, note="")
    given(*LIFE).when(later, later, accept, accept, dismiss).then(
        news,
        DiscrepancyAccepted(session_id=SESSION, job_id=JOB, discrepancy_id=FOUND, note="Called."),
        DiscrepancyDismissed(session_id=SESSION, job_id=JOB, discrepancy_id=FOUND),
    )
    accepted = DiscrepancyAccepted(session_id=SESSION, job_id=JOB, discrepancy_id=FOUND, note="Called.")
    given(*LIFE, accepted).when(changed(accept, note=""), accept, changed(accept, note="Bought.")).then(
        changed(accepted, note="Bought.")
    )
    given(*LIFE).when(changed(accept, discrepancy_id=REQUEST)).refused(NotFound, "DISCREPANCY_NOT_FOUND")


def test_nothing_happens_to_a_deleted_recording_any_more() -> None:
    gone = SessionDeleted(session_id=SESSION, job_id=JOB)
    delete = DeleteSession(session_id=SESSION)
    given(*LIFE).when(delete, delete).then(gone)
    late = (transcribe, understand, summarise, index, report, notify, fail, propose)
    given(*LIFE, gone).when(*late).then()
    for asked in (correct, RenameSession(session_id=SESSION, title="x"), RetryStage(session_id=SESSION)):
        given(*LIFE, gone).when(asked).refused(NotFound, "SESSION_NOT_FOUND")
    given().when(delete).refused(NotFound, "SESSION_NOT_FOUND")


@pytest.mark.parametrize(
    ("past", "status"),
    [
        ((UPLOADED, TRANSCRIBED), "processing"),
        (LIFE, "completed"),
        ((*LIFE, CORRECTED), "processing"),
        ((UPLOADED, FAILED), "failed"),
        ((UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEX_FAILED), "failed"),
    ],
)
def test_a_session_has_the_status_of_its_stages(past: tuple[AudioUploaded, ...], status: str) -> None:
    assert folded(*past).status == status


def folded(*past: Event) -> Any:
    state: Any = SESSIONS.initial
    for event in past:
        state = SESSIONS.evolve(state, event)
    return state
