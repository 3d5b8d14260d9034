"""Rules of what follows when something that a recording contradicts is changed, or gone."""

from uuid import UUID

import msgspec

from events.jobsite import SourceChanged
from handlers.jobsite.session.commands import Reconsider
from tests.jobsite.facts import (
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
    given,
    report,
    summarise,
)

SOURCE = UUID(int=90)
LIFE = (UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED, SUMMARISED, REPORTED, NOTIFIED)
CHANGED = SourceChanged(
    session_id=SESSION,
    job_id=JOB,
    source_id=SOURCE,
    transcript="bb",
    understanding="uu",
    recorded_at=MONDAY,
)
again = Reconsider(session_id=SESSION, source_id=SOURCE)
gone = Reconsider(session_id=SESSION, source_id=SOURCE, gone=True, forgotten=("ss", "tt"))


def test_what_compares_is_done_again_and_reported_again() -> None:
    given(*LIFE).when(again, again).then(CHANGED)
    made = msgspec.structs.replace(SUMMARISED, status="processing")
    told = msgspec.structs.replace(REPORTED, edition=2, status="processing")
    given(*LIFE, CHANGED).when(report, summarise, report).then(made, told)


def test_what_is_not_summed_up_will_be_compared_with_what_is_there_then() -> None:
    for past in ((UPLOADED, TRANSCRIBED), (UPLOADED, TRANSCRIBED, UNDERSTOOD), ()):
        given(*past).when(again).then()


def test_what_quotes_something_gone_is_forgotten_and_the_report_without_it_is_for_everybody() -> None:
    forgot = msgspec.structs.replace(CHANGED, gone=True, forgotten=("ss", "tt"))
    assert forgot.forgets == ("ss", "tt")
    given(*LIFE).when(gone).then(forgot)
    made = msgspec.structs.replace(SUMMARISED, status="processing")
    told = msgspec.structs.replace(REPORTED, edition=2, status="processing", request_id=SOURCE)
    given(*LIFE, forgot).when(summarise, report).then(made, told)
    early = SourceChanged(session_id=SESSION, job_id=JOB, source_id=SOURCE, gone=True, forgotten=("ss", "tt"))
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(gone).then(early)
