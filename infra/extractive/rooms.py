"""Where on the site something is meant to be: `for the boiler room`, `on the second floor`, or under a heading."""

from collections.abc import Sequence
from typing import NamedTuple

from infra.extractive.numbers import UNITS, Token, tokens
from infra.extractive.words import ENDS, NUMBERED, ORDINALS, ROOMS, singular

BEFORE = frozenset("in for at on to of inside".split())
PLAIN = frozenset("the a our this that every each".split())
APART = frozenset(":|,")
"""Marks between a thing and what is told of it: a line with one is no mere name."""
HEADING = 6
"""Words of a line that is only the name of a place."""


class Room(NamedTuple):
    """A place, by its name without articles, and the tokens it is named with."""

    name: str
    first: int
    after: int


def rooms_in(words: Sequence[Token]) -> list[Room]:
    """The places that a sentence names after a preposition."""
    found = []
    for n, word in enumerate(words):
        if word.low in BEFORE:
            begin = n + 1
            while begin < len(words) and words[begin].low in PLAIN:
                begin += 1
            if room := room_at(words, begin):
                found.append(room)
    return found


def room_at(words: Sequence[Token], at: int) -> Room | None:
    """A place whose name begins at a token and is not part of a longer name (`garage door`)."""
    for end in range(at, min(at + 3, len(words))):
        low = singular(words[end].low)
        if low in ENDS or words[end].kind not in {"word", "number"}:
            return None
        if low in ROOMS | NUMBERED:
            return _whole(words, at, end)
    return None


def leading(names: Sequence[str]) -> tuple[str | None, list[str]]:
    """The place that the name of a material begins with, and the rest of it: `boiler room drywall`."""
    if len(names) > 1 and names[0] in ROOMS:
        return names[0], list(names[1:])
    if len(names) > 2 and (names[1] == "room" or (names[1] in NUMBERED and names[0] in ORDINALS)):
        return " ".join(sorted((ORDINALS.get(names[0], names[0]), names[1]))), list(names[2:])
    return None, list(names)


def _whole(words: Sequence[Token], at: int, end: int) -> Room | None:
    name = [ORDINALS.get(word.low, singular(word.low)) for word in words[at : end + 1]]
    after = end + 1
    number = _number(words, after) if name[-1] in NUMBERED | ROOMS else None
    if number is not None:
        name.append(number)
        after += 1
    elif len(name) == 1 and (name[0] in NUMBERED or name[0] == "room"):
        return None
    if after < len(words) and words[after].kind == "word" and words[after].low not in ENDS:
        return None
    return Room(" ".join(sorted(name)), at, after)


def _number(words: Sequence[Token], at: int) -> str | None:
    """The number that tells one from another: `unit 4`, `bedroom two`. Before a thing it is an amount instead."""
    if at >= len(words) or (
        at + 1 < len(words) and words[at + 1].kind == "word" and words[at + 1].low not in ENDS
    ):
        return None
    low = words[at].low
    return low if low.isdigit() else str(UNITS[low]) if low in UNITS else None


def heading(line: str) -> str | None:
    """The place that a line names and says nothing else of."""
    every = tokens(line)
    places = [n for n, word in enumerate(every) if word.kind in {"word", "number"}]
    words = [every[n] for n in places]
    if not words or len(words) > HEADING:
        return None
    if any(word.text in APART for word in every[places[0] : places[-1]]):
        return None
    room = room_at(words, 0)
    return room.name if room and room.after == len(words) else None
