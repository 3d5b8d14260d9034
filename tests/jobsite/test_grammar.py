"""What is a command and what is only talk: the spoken grammar, its dates, and what is left of a note."""

import re
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.jobsite.grammar import LINKS, by_grammar
from handlers.jobsite.grammar.dates import due_in
from infra.chunking import full_text
from infra.extractive.numbers import tokens
from infra.speech import Segment, Transcript
from infra.understanding import Understanding

MONDAY = date(2026, 11, 16)


def heard(*lines: str) -> Understanding:
    """What is understood of lines with a pause between them."""
    segments = tuple(Segment(line, 3.0 * n, 3.0 * n + 2) for n, line in enumerate(lines))
    return by_grammar(Transcript(segments, "en", 3.0 * len(lines), "test"), MONDAY)


def told(*lines: str) -> list[tuple[str, ...]]:
    """Commands as tuples: what kind, what text, and of an action item whose and by when."""
    return [
        (each.kind, each.text, *(str(known) for known in (each.owner, each.due) if known))
        for each in heard(*lines).commands
    ]


COMMANDS = [
    (("Job Maple Street. Builder Hendricks.",), [("job", "Maple Street"), ("builder", "Hendricks")]),
    (
        ("okay job maple street builder hendricks so today we finished the framing",),
        [("job", "Maple Street"), ("builder", "Hendricks")],
    ),
    (
        ("so it is monday job maple street builder hendricks we poured",),
        [("job", "Maple Street"), ("builder", "Hendricks")],
    ),
    (
        ("um this is job twelve mill lane and builder smith and sons",),
        [("job", "Twelve Mill Lane"), ("builder", "Smith and Sons")],
    ),
    (
        ("This is job Maple Street for builder Hendricks & Sons.",),
        [("job", "Maple Street"), ("builder", "Hendricks & Sons")],
    ),
    (("Job, Maple Street, builder, Hendricks.",), [("job", "Maple Street"), ("builder", "Hendricks")]),
    (("Job.", "Maple Street."), [("job", "Maple Street")]),
    (("Job number 42.",), [("job", "42")]),
    (("Job 3rd Street.",), [("job", "3rd Street")]),
    (("Job 4B-12C North 5th Street.",), [("job", "4B-12C North 5th Street")]),
    (("Job Unit 7A2B3C, builder Hendricks.",), [("job", "Unit 7A2B3C"), ("builder", "Hendricks")]),
    (
        ("job unit 7a2b3c4d builder hendricks we poured",),
        [("job", "Unit 7a2b3c4d"), ("builder", "Hendricks")],
    ),
    (
        ("Action item: order forty sheets of drywall by Friday for Mike.",),
        [("action_item", "Order forty sheets of drywall", "Mike", "2026-11-20")],
    ),
    (
        ("action item order forty sheets of drywall by friday today we finished the roof",),
        [("action_item", "Order forty sheets of drywall", "2026-11-20")],
    ),
    (
        ("action item", "mike to order the windows in two weeks"),
        [("action_item", "Order the windows", "Mike", "2026-11-30")],
    ),
    (
        ("uh action item for sarah call the plumber tomorrow",),
        [("action_item", "Call the plumber", "Sarah", "2026-11-17")],
    ),
    (
        ("action item the plumber to replace the pipe by the end of the month",),
        [("action_item", "Replace the pipe", "Plumber", "2026-11-30")],
    ),
    (
        ("Action item, Mike will order screws for drywall due December 3rd.",),
        [("action_item", "Order screws for drywall", "Mike", "2026-12-03")],
    ),
    (("action item talk to mike about the windows",), [("action_item", "Talk to mike about the windows")]),
    (
        ("Action item. Order fifty sheets of drywall, and call the plumber before Friday.",),
        [("action_item", "Order fifty sheets of drywall, and call the plumber", "2026-11-20")],
    ),
    *(
        ((item,), [("action_item", "Call the plumber today and ask him about the valve", "2026-11-16")])
        for item in (
            "Action item: call the plumber today and ask him about the valve.",
            "action item: call the plumber today and ask him about the valve",
            "action item call the plumber today and ask him about the valve",
        )
    ),
    (
        (
            "Action item number one, order drywall. Action item two: call Bob.",
            "Action item three.",
            "Paint it.",
        ),
        [("action_item", "Order drywall"), ("action_item", "Call Bob"), ("action_item", "Paint it")],
    ),
    (("action item two windows for the hall",), [("action_item", "Two windows for the hall")]),
    (
        ("Action item for the electrician: fix the panel by Friday.",),
        [("action_item", "Fix the panel", "Electrician", "2026-11-20")],
    ),
    (
        ("Action item: call the plumber today, and then order the valve so we can go on.",),
        [("action_item", "Call the plumber today, and then order the valve so we can go on", "2026-11-16")],
    ),
    (
        ("action item call the plumber today and then we poured the slab",),
        [("action_item", "Call the plumber", "2026-11-16")],
    ),
    (("Note to office, call the inspector.",), [("note", "Call the inspector")]),
    (("we are done note to the office the client was here",), [("note", "The client was here")]),
]


@pytest.mark.parametrize(("lines", "commands"), COMMANDS, ids=lambda each: str(each[0])[:50])
def test_commands_are_heard_as_people_and_recognisers_put_them(
    lines: tuple[str, ...], commands: list[tuple[str, ...]]
) -> None:
    assert told(*lines) == commands


@pytest.mark.parametrize(
    "line",
    [
        "Good job on the builder's work.",
        f"Job {'A1' * 40} Street.",
        "good job on the builder's work",
        "the builder said the job is done",
        "job well done",
        "Job well done.",
        "job is late",
        "Job Maple Street is running late.",
        "builder called this morning",
        "Builder Hendricks wants the windows by Monday.",
        "the first action item is done",
        "Action items from last week are done.",
        "we sent a note to the office",
        "The job on Maple Street is fine.",
        "job site is a mess",
        "it was a good job builder was happy",
        "that was the last job we did for the builder",
    ],
)
def test_ordinary_sentences_with_these_words_are_left_alone(line: str) -> None:
    found = heard(line)
    assert (found.commands, found.text) == ((), line)


@pytest.mark.parametrize(
    "lines",
    [
        ("action item order drywall end of item we poured the slab",),
        ("Action item: order drywall. End of item.", "We poured the slab."),
    ],
)
def test_whoever_says_that_an_item_is_over_is_not_quoted_in_the_note(lines: tuple[str, ...]) -> None:
    found = heard(*lines)
    assert found.text.lower().strip(".") == "we poured the slab"
    assert [each.text for each in found.commands] == ["Order drywall"]


def test_what_is_left_is_the_note_itself_with_exact_places() -> None:
    lines = ("Job Maple Street. We poured the slab.", "Action item: order drywall by Friday.", "It was cold.")
    found = heard(*lines)
    text = full_text(found.transcript.segments)
    assert found.text == "We poured the slab.\nIt was cold."
    assert [text[first:last] for first, last in found.kept] == ["We poured the slab.", "It was cold."]
    for each in found.commands:
        assert text[each.place.start_char : each.place.end_char] == each.quote
    assert (found.commands[1].place.start, found.commands[1].place.end) == (3.0, 5.0)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("by Friday", "2026-11-20"),
        ("by monday", "2026-11-23"),
        ("by next friday", "2026-11-27"),
        ("due in two weeks", "2026-11-30"),
        ("within three days", "2026-11-19"),
        ("in a couple of days", "2026-11-18"),
        ("in three months", "2027-02-16"),
        ("call him tomorrow", "2026-11-17"),
        ("before the end of the week", "2026-11-20"),
        ("by end of next month", "2026-12-31"),
        ("by December 3rd", "2026-12-03"),
        ("by the third of december", "2026-12-03"),
        ("by the twenty first of november", "2026-11-21"),
        ("by the 15th", "2026-12-15"),
        ("due by January 1", "2027-01-01"),
        ("by 2026-12-01", "2026-12-01"),
        ("by 12/15", "2026-12-15"),
        ("in the kitchen", None),
        ("by the window", None),
        ("by february thirtieth", None),
        ("in ² days by / or 0/0", None),
    ],
)
def test_dates_are_counted_from_the_day_of_the_recording(said: str, day: str | None) -> None:
    due = due_in(tokens(said), MONDAY)
    assert (due and due.on.isoformat()) == day


SAID = (
    "job we today builder action item note to office maple Street Hendricks by friday for mike the a is . , : "
    "in two weeks december 3rd / 12/99 ² end of month um and order St. 'tis 's -"
)
WORDS = st.sampled_from(SAID.split())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=5))
def test_whatever_is_said_commands_and_rest_are_apart_and_in_their_places(lines: list[str]) -> None:
    found = heard(*lines)
    text = full_text(found.transcript.segments)
    places = [(each.place.start_char, each.place.end_char) for each in found.commands]
    everything = sorted([*places, *found.kept])
    assert all(first < last for first, last in everything)
    assert all(one[1] <= other[0] for one, other in pairwise(everything))
    assert found.text == "\n".join(text[first:last] for first, last in found.kept)
    assert all(
        text[first:last] == each.quote for each, (first, last) in zip(found.commands, places, strict=True)
    )
    assert all(each.text for each in found.commands)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=5))
def test_no_word_is_lost_but_those_that_link_commands(lines: list[str]) -> None:
    found = heard(*lines)
    text = full_text(found.transcript.segments)
    covered = [*((each.place.start_char, each.place.end_char) for each in found.commands), *found.kept]
    for word in re.finditer(r"[\w']+", text):
        inside = any(first <= word.start() and word.end() <= last for first, last in covered)
        assert inside or word.group().lower() in LINKS
