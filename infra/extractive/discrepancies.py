"""Where two texts differ in how much of the same item there is to be."""

from collections import defaultdict
from collections.abc import Sequence
from math import isclose
from typing import NamedTuple

from infra.extractive.quantities import Quantity, quantities, rooms
from infra.extractive.sentences import Sentence

TOLERANCE = 0.005
"""Of an amount, what conversion and rounding may make of it: 3 ft are 91 cm."""


class Contradiction(NamedTuple):
    """The same item in different amounts."""

    here: Quantity
    there: Quantity


class _Text(NamedTuple):
    """The quantities of one text that are beyond doubt: one amount for each item, dimension and room."""

    sure: dict[tuple[str, str, str | None], Quantity]
    rooms: frozenset[str]


def contradictions(here: Sequence[Sentence], there: Sequence[Sentence]) -> list[Contradiction]:
    """Items of which the two texts give different amounts, in the order of the first.

    Only what both say of the same item, in the same dimension and for the same room. An item that a text itself gives
    several amounts of is left out: nobody knows which one it means.
    """
    one, other = _text(here), _text(there)
    return [
        Contradiction(quantity, match)
        for key, quantity in one.sure.items()
        if (match := _match(key, one, other)) and not same(quantity, match)
    ]


def same(one: Quantity, other: Quantity) -> bool:
    """Whether two amounts of one dimension are equal, in whatever units."""
    return isclose(one.amount * one.unit.factor, other.amount * other.unit.factor, rel_tol=TOLERANCE)


def _text(sentences: Sequence[Sentence]) -> _Text:
    found: dict[tuple[str, str, str | None], list[Quantity]] = defaultdict(list)
    for quantity in quantities(sentences):
        found[quantity.key, quantity.unit.dimension, quantity.room].append(quantity)
    sure = {
        key: several[0] for key, several in found.items() if all(same(several[0], each) for each in several)
    }
    return _Text(sure, rooms(sentences))


def _match(key: tuple[str, str, str | None], one: _Text, other: _Text) -> Quantity | None:
    """The same item elsewhere. Without a room it is in the only room that its text speaks of, if there is one."""
    item, dimension, room = key
    if match := other.sure.get(key):
        return match
    if room is not None:
        return other.sure.get((item, dimension, None)) if other.rooms == {room} else None
    if len(one.rooms) == 1:
        return other.sure.get((item, dimension, next(iter(one.rooms))))
    return None
