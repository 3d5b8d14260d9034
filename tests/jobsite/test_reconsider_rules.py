"""Rules of what follows when something that a recording contradicts is changed, or gone."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from events.envelope import Key, Recorded
from events.jobsite import Place, SessionMoved, SourceChanged
from handlers.handler import Attempt
from handlers.jobsite.reconsider import reconsiderers
from handlers.jobsite.session.commands import Reconsider
from infra.understanding import Discrepancy, Quote, Summary
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
from tests.jobsite.test_rows import recorded

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


QUOTED = Quote(
    source="session", source_id=SOURCE, title="Monday", text="ten", place=Place(start_char=0, end_char=3)
)
TOLD = msgspec.structs.replace(QUOTED, source_id=SESSION)
CONTRADICTION = Discrepancy(
    id=UUID(int=9), kind="quantity", about="salt", detail="d", said=TOLD, against=QUOTED, method="m"
)
HEARD = msgspec.structs.replace(UNDERSTOOD, session_id=SOURCE)
MOVED = SessionMoved(session_id=SOURCE, job_id=None, was=JOB, corrections=0)


class Known:
    """A recording that was understood at 5 and summed up at 9, in a summary that quotes another."""

    def __init__(self, *others: Recorded[Any]) -> None:
        self._pasts = {SESSION: [recorded(UNDERSTOOD, 5), recorded(SUMMARISED, 9)], SOURCE: list(others)}

    async def past(self, _: str, id: UUID) -> list[Recorded[Any]]:
        return self._pasts[id]

    async def summary(self, _: str) -> Summary:
        return Summary(text="t", discrepancies=(CONTRADICTION,), method="m")

    async def held(self, _: Key) -> set[str]:
        return set()


@pytest.mark.parametrize(
    ("others", "outrun"),
    [
        ([(HEARD, 2)], False),
        ([(HEARD, 7)], False),
        ([(HEARD, 2), (HEARD, 4)], False),
        ([(HEARD, 2), (HEARD, 7)], True),
        ([(HEARD, 2), (MOVED, 7)], True),
        ([(HEARD, 2), (msgspec.structs.replace(MOVED, job_id=JOB, was=None), 7)], False),
        ([(HEARD, 2), (HEARD, 10)], False),
    ],
)
async def test_what_changed_while_it_was_compared_is_compared_again(
    others: list[tuple[Any, int]], outrun: bool
) -> None:
    known: Any = Known(*(recorded(event, at) for event, at in others))
    handlers = {each.name: each for each in reconsiderers(reading=known, models=known, log=known)}
    answers = await handlers["late_quote_summarised"].effect(recorded(SUMMARISED, 9), Attempt(1, 1))
    assert answers == ([again] if outrun else [])
