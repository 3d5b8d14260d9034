"""Which action items a note asks for, and which of them are the same."""

from datetime import date
from uuid import UUID

from handlers.jobsite.grammar import by_grammar
from handlers.jobsite.understand import asked_for
from infra.speech import Segment, Transcript

SESSION = UUID(int=1)
FRIDAY, MONDAY = date(2026, 12, 4), date(2026, 11, 30)


def asked(*said: str) -> list[tuple[UUID, str, str | None, date | None]]:
    segments = tuple(Segment(text, float(n), n + 1.0) for n, text in enumerate(said))
    found = by_grammar(Transcript(segments, "en", 60.0, "m"), date(2026, 11, 27))
    return [(id, each.text, each.owner, each.due) for id, each in asked_for(SESSION, found.commands)]


def test_what_two_people_are_asked_for_is_two_things() -> None:
    mike, anna = asked("Action item, Mike to call the inspector.", "Action item, Anna to call the inspector.")
    assert (mike[1:], anna[1:]) == (
        ("Call the inspector", "Mike", None),
        ("Call the inspector", "Anna", None),
    )
    assert mike[0] != anna[0]


def test_what_is_to_be_done_on_two_days_is_two_things() -> None:
    dates = [
        each[3]
        for each in asked("Action item, order drywall by Friday. Action item, order drywall by Monday.")
    ]
    assert dates == [FRIDAY, MONDAY]


def test_what_is_said_twice_is_one_thing_with_all_that_was_said_of_it() -> None:
    once = asked("Action item, order drywall.", "Action item, Mike to order drywall by Friday.")
    assert [each[1:] for each in once] == [("Order drywall", "Mike", FRIDAY)]


def test_corrected_it_is_the_same_thing() -> None:
    [before] = asked("Action item, Mike to order drywall by Friday.")
    [after] = asked("Action item, Anna to order drywall by Monday.")
    assert before[0] == after[0]
    assert after[2:] == ("Anna", MONDAY)
