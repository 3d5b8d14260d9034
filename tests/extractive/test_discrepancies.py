"""Texts that contradict each other in amounts, and texts that only seem to."""

import pytest

from infra.extractive import contradictions, sentences_of_text, sentences_of_transcript
from infra.speech import Segment, Word

SAID = "Order fifty sheets of drywall, and call the plumber before Friday."


def differences(here: str, there: str) -> list[tuple[str, str, str]]:
    found = contradictions(sentences_of_text(here), sentences_of_text(there))
    return [(each.here.item, each.here.said, each.there.said) for each in found]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (SAID, "Drywall: 14 sheets", ("drywall", "50 sheets", "14 sheets")),
        (SAID, "The plan calls for 40 sheets of dry wall.", ("drywall", "50 sheets", "40 sheets")),
        ("each window is three feet wide", "Window width: 48 in", ("window wide", "3 feet", "48 inches")),
        (
            "five windows on the second floor",
            "Windows, first floor: 5\nWindows, second floor: 6",
            ("window", "5", "6"),
        ),
        (SAID, "Drywall sheets: 40", ("drywall", "50 sheets", "40 sheets")),
        ("the boiler is 24 kilowatts", "Boiler: 30 kW", ("boiler", "24 kilowatts", "30 kilowatts")),
        ("we have thirteen steps", "14 steps", ("step", "13", "14")),
        (
            "In the kitchen we need 3 doors.",
            "Kitchen\nDoors: 2\nHall\nDoors: 3",
            ("door", "3", "2"),
        ),
        (  # both speak of one room only
            "We are in the boiler room. Order ten bags of cement.",
            "Boiler room\n8 bags of cement",
            ("cement", "10 bags", "8 bags"),
        ),
    ],
)
def test_the_same_item_in_other_amounts_is_a_contradiction(
    here: str, there: str, expected: tuple[str, str, str]
) -> None:
    assert differences(here, there) == [expected]
    assert [each[:0:-1] for each in differences(there, here)] == [expected[1:]]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (SAID, "Drywall: 50 sheets"),
        (SAID, "Plywood: 14 sheets"),
        (SAID, "Half inch drywall: 14 sheets"),
        (SAID, "Drywall: 2 pallets"),
        (SAID, "Bedroom: 14 sheets of drywall"),
        (SAID, "About 14 sheets of drywall"),
        (SAID, "Drywall: 14 sheets\nDrywall: 36 sheets"),
        ("3 doors for the kitchen", "2 doors for the hall"),
        ("3 doors for the kitchen", "Kitchen\nWindows: 2\nHall\nDoors: 2"),
        ("3 doors for bedroom two", "2 doors for bedroom one"),
        ("the window is 3 feet wide", "Window width: 36 in"),
        ("the window is 3 feet wide", "Window width: 91.4 cm"),
        ("30 feet of pipe", "10 yards of pipe"),
        ("30 feet of pipe", "4 pipes"),
        ("the boiler is 24 kilowatts", "Boiler: 24,000 watts"),
        ("the boiler is 24 kilowatts", "2 boilers"),
        ("the window is 3 feet wide", "the window is 4 feet high"),
    ],
)
def test_other_items_rooms_units_and_the_same_amount_are_none(here: str, there: str) -> None:
    assert differences(here, there) == []


def test_both_sides_are_quoted_with_their_places() -> None:
    words = tuple(
        Word(word, 10 + n, 10.5 + n) for n, word in enumerate(("order", "fifty", "sheets", "of", "drywall"))
    )
    spoken = sentences_of_transcript(
        [Segment("good morning", 0.0, 1.0), Segment("order fifty sheets of drywall", 10.0, 14.5, words=words)]
    )
    plan = "Maple Street\fMaterials\nDrywall: 14 sheets\n"
    (found,) = contradictions(spoken, sentences_of_text(plan, ((0, 13, 1), (13, 50, 2))))
    here, there = found.here.sentence, found.there.sentence
    assert (here.text, here.start_char, here.end_char) == ("order fifty sheets of drywall", 13, 42)
    assert (here.start, here.end, here.page) == (10.0, 14.5, None)
    assert (there.text, there.page, there.start) == ("Drywall: 14 sheets", 2, None)
    assert plan[there.start_char : there.end_char] == there.text
