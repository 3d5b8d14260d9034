"""Rules of reports that somebody wants again."""

from uuid import UUID

import msgspec

from events.jobsite import ReportRequested, StageFailed
from handlers.jobsite.session.commands import RequestReport
from handlers.refusals import Conflict, NotFound
from tests.jobsite.facts import (
    JOB,
    REPORTED,
    SESSION,
    SUMMARISED,
    TRANSCRIBED,
    UNDERSTOOD,
    UPLOADED,
    given,
    report,
)

REQUEST = UUID(int=77)
ask = RequestReport(session_id=SESSION, request_id=REQUEST)
ASKED = ReportRequested(session_id=SESSION, job_id=JOB, request_id=REQUEST, summary=SUMMARISED.blob)
LIFE = (UPLOADED, TRANSCRIBED, UNDERSTOOD, SUMMARISED, REPORTED)


def test_a_report_that_was_asked_for_is_another_edition_that_goes_to_everybody() -> None:
    told = msgspec.structs.replace(REPORTED, edition=2, request_id=REQUEST)
    given(*LIFE).when(report).then()
    given(*LIFE).when(ask, ask, report, report).then(ASKED, told)
    given(*LIFE, ASKED, told).when(ask).then(ASKED)


def test_one_that_failed_can_be_asked_for_again() -> None:
    failed = StageFailed(session_id=SESSION, job_id=JOB, stage="report", code="C", detail="d")
    given(*LIFE, ASKED, failed).when(ask).then(ASKED)


def test_there_is_no_report_of_what_is_not_summed_up() -> None:
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(ask).refused(Conflict, "NOT_SUMMARISED")
    given().when(ask).refused(NotFound, "SESSION_NOT_FOUND")
