"""Rules of dead letters and alerts."""

from typing import Any
from uuid import UUID

import msgspec

from events.envelope import Event
from events.operations import Cleared, Discarded, Raised, Recorded, Redriven, Resolved
from handlers.operations.decide import (
    ALERTS,
    DEAD_LETTERS,
    ClearAlert,
    Discard,
    RaiseAlert,
    RecordDeadLetter,
    Redrive,
    Reopen,
    Resolve,
)
from handlers.refusals import Conflict, NotFound
from tests.rules import Given
from tests.rules import given as given_of


def given(*past: Event) -> Given:
    return given_of(DEAD_LETTERS, *past)


def given_alert(*past: Event) -> Given:
    return given_of(ALERTS, *past)


LETTER = UUID(int=1)
EARLIER = UUID(int=2)
FACTS: dict[str, Any] = {
    "dead_letter_id": LETTER,
    "stream": "JOBSITE",
    "position": 7,
    "subject": "jobsite.session.x.transcribed",
    "handler": "index",
    "error": "ValueError: no",
    "attempts": 6,
    "event_id": UUID(int=3),
}
RECORDED = Recorded(**FACTS)
REDRIVEN = Redriven(dead_letter_id=LETTER)
RESOLVED = Resolved(dead_letter_id=LETTER)
DISCARDED = Discarded(dead_letter_id=LETTER, reason="a test recording")
AGAIN = msgspec.structs.replace(RECORDED, error="ValueError: still no", attempts=7)


def test_a_failure_becomes_a_letter() -> None:
    given().when(RecordDeadLetter(**FACTS)).then(RECORDED)


def test_a_failure_that_is_known_and_open_changes_nothing() -> None:
    given(RECORDED).when(RecordDeadLetter(**FACTS)).then()


def test_what_fails_anew_after_it_was_resolved_is_a_letter_again() -> None:
    given(RECORDED, REDRIVEN, RESOLVED).when(RecordDeadLetter(**FACTS)).then(RECORDED)


def test_what_somebody_discarded_stays_discarded() -> None:
    given(RECORDED, DISCARDED).when(RecordDeadLetter(**FACTS)).then()
    given(RECORDED, REDRIVEN, DISCARDED).when(Reopen(dead_letter_id=LETTER, error="late")).then()


def test_a_letter_is_redriven_once_until_its_outcome_is_known() -> None:
    redrive = Redrive(dead_letter_id=LETTER, after=(EARLIER,))
    given(RECORDED).when(redrive).then(Redriven(dead_letter_id=LETTER, after=(EARLIER,)))
    given(RECORDED, REDRIVEN).when(redrive).then()
    given(RECORDED, REDRIVEN, AGAIN).when(redrive).then(Redriven(dead_letter_id=LETTER, after=(EARLIER,)))


def test_a_redrive_that_succeeds_resolves_the_letter() -> None:
    given(RECORDED, REDRIVEN).when(Resolve(dead_letter_id=LETTER)).then(RESOLVED)
    given(RECORDED, REDRIVEN, RESOLVED).when(Resolve(dead_letter_id=LETTER)).then()


def test_a_redrive_that_fails_opens_the_letter_with_what_went_wrong_this_time() -> None:
    reopen = Reopen(dead_letter_id=LETTER, error="ValueError: still no")
    given(RECORDED, REDRIVEN).when(reopen).then(AGAIN)
    given(RECORDED, REDRIVEN, AGAIN).when(reopen).then()


def test_late_news_of_a_redrive_changes_nothing() -> None:
    for past in ((), (RECORDED,), (RECORDED, DISCARDED), (RECORDED, REDRIVEN, DISCARDED)):
        given(*past).when(Resolve(dead_letter_id=LETTER)).then()
        given(*past).when(Reopen(dead_letter_id=LETTER, error="no")).then()


def test_a_letter_is_discarded_while_it_is_open_or_being_redriven() -> None:
    discard = Discard(dead_letter_id=LETTER, reason="a test recording")
    given(RECORDED).when(discard).then(DISCARDED)
    given(RECORDED, REDRIVEN).when(discard).then(DISCARDED)
    given(RECORDED).when(discard, discard).then(DISCARDED)


def test_what_is_resolved_or_discarded_is_closed() -> None:
    redrive, discard = Redrive(dead_letter_id=LETTER), Discard(dead_letter_id=LETTER)
    for past, command in (
        ((REDRIVEN, RESOLVED), redrive),
        ((REDRIVEN, RESOLVED), discard),
        ((DISCARDED,), redrive),
    ):
        given(RECORDED, *past).when(command).refused(Conflict, "DEAD_LETTER_CLOSED")


def test_there_must_be_a_letter() -> None:
    for command in (Redrive(dead_letter_id=LETTER), Discard(dead_letter_id=LETTER)):
        given().when(command).refused(NotFound, "DEAD_LETTER_NOT_FOUND")


def test_an_alert_is_raised_and_cleared_once() -> None:
    facts: dict[str, Any] = {
        "alert_id": LETTER,
        "kind": "projection_halted",
        "subject": "projection x",
        "detail": "why",
    }
    raised, cleared = Raised(**facts), Cleared(alert_id=LETTER)
    given_alert().when(RaiseAlert(**facts)).then(raised)
    given_alert(raised).when(RaiseAlert(**facts)).then()
    given_alert(raised).when(ClearAlert(alert_id=LETTER)).then(cleared)
    given_alert(raised, cleared).when(ClearAlert(alert_id=LETTER)).then()
    given_alert(raised, cleared).when(RaiseAlert(**facts)).then(raised)
