"""The names of items: after an amount, in front of it in a list, or as the subject that a measure is told of."""

from collections.abc import Sequence

from infra.extractive.numbers import Token, number_at, size_at
from infra.extractive.rooms import room_at
from infra.extractive.units import unit_of
from infra.extractive.words import ARTICLES, ATTRIBUTES, COPULAS, ENDS, IDLE, PREPOSITIONS, singular

LONGEST_NAME = 4
"""Words of an item's name."""
LONGEST_LABEL = 6
"""Words in front of an amount in a list."""
BETWEEN = frozenset({":", "|", "-", "–", "•", "*", ",", "="})
"""Marks between the columns of a table, or a name and its amount."""
PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "eighth": 0.125, "eighths": 0.125}


def low(words: Sequence[Token], at: int) -> str:
    """The word at a place in lower case; nothing outside the sentence."""
    return words[at].low if 0 <= at < len(words) else ""


def named(words: Sequence[Token], at: int) -> tuple[list[str], int]:
    """The name of an item from a token on, in the singular and without idle adjectives."""
    names: list[str] = []
    while at < len(words) and len(names) < LONGEST_NAME:
        if size := size_at(words, at):
            names.append(size[0])
            at = size[1]
        elif thick := _thickness(words, at):
            names.append(thick[0])
            at = thick[1]
        elif words[at].kind == "word" and words[at].low not in ENDS and not number_at(words, at):
            if words[at].low not in IDLE:
                names.append(singular(words[at].low))
            at += 1
        elif words[at].text == "-" and names and words[at].first == words[at - 1].last:
            at += 1
        else:
            break
    return names, at


def _thickness(words: Sequence[Token], at: int) -> tuple[str, int] | None:
    """`half inch`, `5/8"`, `three quarter inch` as part of a name."""
    number = number_at(words, at)
    value, after = (number.value, number.after) if number else (1.0, at)
    if part := PARTS.get(low(words, after)):
        value, after = value * part, after + 1
    elif not number:
        return None
    if low(words, after) == "-":
        after += 1
    unit = unit_of(low(words, after))
    if unit is None or unit.dimension != "length":
        return None
    return f"{value * unit.factor * 1000:.3g}mm", after + 1


def subject(words: Sequence[Token], at: int) -> list[str]:
    """What a sentence tells the measure of: `each window is` four feet wide, `the height of the ceiling is` eight feet.

    Nothing when that is not what stands in front of the verb: `the way to the house is` ten yards.
    """
    here = at - 1
    if low(words, here) not in COPULAS:
        return []
    names: list[str] = []
    here -= 1
    while here >= 0 and low(words, here) in {"must", "should", "will", "shall", "to"}:
        here -= 1
    while (
        here >= 0 and words[here].kind == "word" and words[here].low not in ENDS and len(names) < LONGEST_NAME
    ):
        names.insert(0, singular(words[here].low))
        here -= 1
    names = [name for name in names if name not in IDLE]
    while low(words, here) in ARTICLES:
        here -= 1
    attribute = ATTRIBUTES.get(low(words, here - 1))
    if low(words, here) == "of" and attribute and names:
        return [*names, attribute]
    return [] if low(words, here) in PREPOSITIONS else _attributed(names)


def _attributed(names: Sequence[str]) -> list[str]:
    """`ceiling height` as `ceiling high`, so that a measure has one name, however it is told."""
    return [ATTRIBUTES.get(name, name) if n == len(names) - 1 and n else name for n, name in enumerate(names)]


def label(words: Sequence[Token], begin: int, at: int) -> tuple[list[str], str | None]:
    """The name in front of an amount in a list or table, and the place between them: `Drywall: 14 sheets`, `Windows,
    second floor: 6`. Nothing else may stand there."""
    parts: list[list[Token]] = [[]]
    for word in words[begin:at]:
        if word.text in BETWEEN:
            parts.append([])
        else:
            parts[-1].append(word)
    parts = [part for part in parts if part]
    place = room_at(parts[-1], 0) if len(parts) > 1 else None
    if place and place.after == len(parts[-1]):
        parts.pop()
    else:
        place = None
    before = [word for part in parts for word in part]
    if not 0 < len(before) <= LONGEST_LABEL:
        return [], None
    names, after = named(before, 0)
    if after < len(before):
        return [], None
    return _attributed(names), place.name if place else None
