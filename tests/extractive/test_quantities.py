"""How much of what is found in speech and in plans, and what is too uncertain to be taken."""

import pytest

from infra.extractive import quantities, sentences_of_text
from infra.extractive.numbers import number_at, tokens


def found(text: str) -> list[str]:
    """Amounts, items and places, as `50 sheets of drywall @ kitchen`."""
    return [
        f"{each.said} of {each.item}" + (f" @ {each.room}" if each.room else "")
        for each in quantities(sentences_of_text(text))
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("forty two", 42),
        ("forty-two", 42),
        ("1,200", 1200),
        ("two hundred and ten", 210),
        ("three thousand five hundred", 3500),
        ("12 hundred", 1200),
        ("a dozen", 12),
        ("two dozen", 24),
        ("half a dozen", 6),
        ("3 1/2", 3.5),
        ("3½", 3.5),
        ("three and a half", 3.5),
        ("two and a quarter", 2.25),
        ("3 and three quarters", 3.75),
        ("half a yard", 0.5),
        ("half a cubic yard", 0.5),
        ("a quarter of an inch", 0.25),
        ("three quarters of an inch", 0.75),
        ("half an hour", None),
        ("half of the crew", None),
        ("a quarter of the wall", None),
        ("2.5", 2.5),
        ("nineteen", 19),
        ("a", None),
        ("fourteenth", None),
        ("and", None),
    ],
)
def test_numbers_are_read_as_written_and_as_spoken(text: str, value: float | None) -> None:
    number = number_at(tokens(text), 0)
    assert (number.value if number else None) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("action item or fifty sheets of drywall and call the plumber", ["50 sheets of drywall"]),
        ("Order forty two sheets of drywall.", ["42 sheets of drywall"]),
        ("fifty drywall sheets", ["50 sheets of drywall"]),
        ("forty two by sixes for the garage", ["40 of 2x6 @ garage"]),
        ("12 2x4 studs", ["12 of 2x4 stud"]),
        ("twelve two-by-fours", ["12 of 2x4"]),
        ("40 sheets of 1/2 inch drywall", ["40 sheets of 12.7mm drywall"]),
        ("forty sheets of half inch drywall", ["40 sheets of 12.7mm drywall"]),
        ("We need half a yard of concrete.", ["0.5 yards of concrete"]),
        ("The gap is three quarters of an inch.", ["0.75 inches of gap"]),
        ("ten sheets of three quarter inch plywood", ["10 sheets of 19mm plywood"]),
        ("Boiler room drywall: 30 sheets", ["30 sheets of drywall @ boiler room"]),
        ("thirty sheets of second floor drywall", ["30 sheets of drywall @ 2 floor"]),
        ("Bathroom tile: 90 square feet", ["90 square feet of tile @ bathroom"]),
        ("Kitchen cabinets: 12", ["12 of kitchen cabinet"]),
        ("a dozen new windows are needed", ["12 of window"]),
        ("thirty feet of copper pipe on the second floor", ["30 feet of copper pipe @ 2 floor"]),
        ("ninety square feet of tile", ["90 square feet of tile"]),
        ("each window is four feet wide", ["4 feet of window wide"]),
        ("Window width: 36 in", ["36 inches of window wide"]),
        ("Drywall: 14 sheets", ["14 sheets of drywall"]),
        ("Drywall sheets: 40", ["40 sheets of drywall"]),
        ("Windows, second floor: 6", ["6 of window @ 2 floor"]),
        ("| Drywall sheets | kitchen | 14 |", ["14 sheets of drywall @ kitchen"]),
        ("Garage doors: 2", ["2 of garage door"]),
        ("the boiler is 24 kilowatts", ["24 kilowatts of boiler"]),
        ("the boiler pipe is 22 millimetres", ["22 millimetres of boiler pipe"]),
        ("Boiler pipe: 28 mm.", ["28 millimetres of boiler pipe"]),
        ("The plan says that the pipe should be 28 mm, not 22.", ["28 millimetres of pipe"]),
        ("the pipe is 22 mm in the boiler room", ["22 millimetres of pipe @ boiler room"]),
        ("the ceiling height is eight feet", ["8 feet of ceiling high"]),
        ("The height of the ceiling was nine feet today", ["9 feet of ceiling high"]),
        ("the slab measures ninety square metres and is dry", ["90 square metres of slab"]),
        ("Boiler: 30 kW", ["30 kilowatts of boiler"]),
        ("| 2x4 studs | 40 pcs |", ["40 of 2x4 stud"]),
        ("The boiler room needs 30 sheets of drywall.", ["30 sheets of drywall @ boiler room"]),
        ("the kitchen gets two doors and the hall is done", ["2 of door @ kitchen"]),
        ("the kitchen doors need two hinges", ["2 of hinge"]),
        ("Boiler room: 8 bags of cement", ["8 bags of cement @ boiler room"]),
        ("Boiler room\n- Doors: 2\nKitchen\n3 doors", ["2 of door @ boiler room", "3 of door @ kitchen"]),
        ("ten doors for the kitchen and two doors for the hall", ["10 of door @ kitchen", "2 of door @ hall"]),
        ("there are fourteen steps in all", ["14 of step"]),
        ("unit 4 needs 12 doors", ["12 of door @ 4 unit"]),
        ("ten boards", ["10 of board"]),
    ],
)  # fmt: skip
def test_amounts_are_found_with_unit_item_and_place(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "about ten bags of cement",
        "ten to twelve bags of cement",
        "10-12 bags of cement",
        "ten more sheets",
        "forty sheets for the bedroom",  # of what is not said
        "two of them are too small",
        "six stones are broken",
        "replace two windows",
        "two of the six windows",
        "see page 3",
        "drawing 12 shows it",
        "it takes about three weeks",
        "two thousand dollars",
        "20 % moisture",
        "a room of ten by twelve",
        "the second visit",
        "more than forty doors",
        "the way to the house is ten yards",
        "the gap between the pipes is 3 cm",
        "the trench is 20 metres from the wall",
        "it is 22 millimetres",
        "at 9 o'clock",
        "",
    ],
)
def test_what_is_not_certain_is_left_out(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "digits", ["1" * 310 + "/3", "1" * 5000, "1" * 400 + " 1/2", "1" * 5000 + "x2", "m ² by ²"]
)
def test_what_no_number_can_hold_is_none(digits: str) -> None:
    assert found(f"{digits} bags of cement, and 3 doors.")[-1:] == ["3 of door"]
