"""Rules of stages that failed and are tried again, and of what goes on without them."""

from events.jobsite import SessionMoved, StageFailed, StageRetried
from handlers.jobsite.session.commands import MoveSession, RetryStage
from handlers.refusals import Conflict
from tests.jobsite.facts import (
    INDEX_FAILED,
    INDEXED,
    JOB,
    MONDAY,
    SESSION,
    TRANSCRIBED,
    UNDERSTOOD,
    UPLOADED,
    given,
    index,
    understand,
)
from tests.jobsite.test_corrections_rules import LIFE, OTHER, changed, folded


def test_a_failed_stage_is_retried_on_what_it_works_on() -> None:
    retry = RetryStage(session_id=SESSION)
    retried = StageRetried(
        session_id=SESSION,
        job_id=JOB,
        stage="index",
        retry=1,
        audio="aa",
        transcript="bb",
        understanding="uu",
        title="Boiler room",
        recorded_at=MONDAY,
    )
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEX_FAILED).when(retry).then(retried)
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEX_FAILED, retried).when(retry).refused(
        Conflict, "NOTHING_TO_RETRY"
    )
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEX_FAILED, retried).when(index).then(INDEXED)
    twice = (INDEX_FAILED, retried, INDEX_FAILED)
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, *twice).when(retry).then(changed(retried, retry=2))
    given(*LIFE).when(changed(retry, stage="report")).refused(Conflict, "NOTHING_TO_RETRY")


def test_what_could_not_be_understood_is_searched_all_the_same_and_anew_once_it_is() -> None:
    lost = StageFailed(session_id=SESSION, job_id=JOB, stage="understand", code="C", detail="d")
    retried = StageRetried(
        session_id=SESSION,
        job_id=JOB,
        stage="understand",
        retry=1,
        audio="aa",
        transcript="bb",
        title="Boiler room",
        recorded_at=MONDAY,
    )
    unstood = (UPLOADED, TRANSCRIBED, lost)
    given(*unstood).when(index, index).then(INDEXED)
    assert folded(*unstood, INDEXED).status == "failed"
    again = RetryStage(session_id=SESSION, stage="understand")
    given(*unstood, INDEXED).when(again, understand, index).then(retried, UNDERSTOOD, INDEXED)
    move = MoveSession(session_id=SESSION, job_id=OTHER)
    moved = SessionMoved(
        session_id=SESSION,
        job_id=OTHER,
        was=JOB,
        transcript="bb",
        chunk_sets={INDEXED.index: "cc"},
        recorded_at=MONDAY,
    )
    given(*unstood, INDEXED).when(move, index).then(moved, changed(INDEXED, job_id=OTHER))
    both = changed(retried, stage="index")
    given(*unstood, INDEX_FAILED).when(changed(again, stage="index"), index).then(both, INDEXED)


def test_a_stage_whose_ground_is_gone_cannot_be_retried() -> None:
    report_failed = StageFailed(session_id=SESSION, job_id=JOB, stage="report", code="C", detail="d")
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, report_failed).when(RetryStage(session_id=SESSION)).refused(
        Conflict, "STAGE_NOT_READY"
    )
