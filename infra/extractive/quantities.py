"""How much of what: amounts with their unit, item and place, found in what people say and plans state.

What is not certain is left out: `about ten`, `ten more`, `ten to twelve`, `page 10`, `ten of them are broken`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from infra.extractive.items import label, low, named, subject
from infra.extractive.numbers import Number, Token, number_at, size_at, tokens
from infra.extractive.rooms import Room, heading, leading, room_at, rooms_in
from infra.extractive.sentences import Sentence
from infra.extractive.units import COUNT, MEASURES, PACKED, RATINGS, Unit, is_power, plural, unit_of
from infra.extractive.words import (
    ARTICLES,
    ATTRIBUTES,
    CLOSED,
    HEDGES,
    LABELS,
    PARTIAL,
    STATES,
    VAGUE,
    WANTED,
)

BETWEEN = frozenset({"to", "or", "-", "–"})
"""What stands between the ends of a range."""


class Quantity(NamedTuple):
    """An amount of an item. Items of the same `key`, amounts of the same dimension, can be compared."""

    amount: float
    unit: Unit
    item: str
    key: str
    room: str | None
    sentence: Sentence

    @property
    def said(self) -> str:
        """`50 sheets`, `3 feet`, `14`."""
        name = self.unit.name if self.amount == 1 or not self.unit.name else plural(self.unit.name)
        return f"{self.amount:,.6g} {name}".rstrip()


def quantities(sentences: Iterable[Sentence]) -> tuple[Quantity, ...]:
    """Every quantity of a text, in order. A line that is only the name of a room says where what follows is."""
    found: list[Quantity] = []
    under: str | None = None
    for sentence in sentences:
        if place := heading(sentence.text):
            under = place
        else:
            found.extend(_of_sentence(sentence, under))
    return tuple(found)


def rooms(sentences: Iterable[Sentence]) -> frozenset[str]:
    """Every place that a text names."""
    return frozenset(
        name
        for sentence in sentences
        for name in (heading(sentence.text), *(room.name for room in rooms_in(tokens(sentence.text))))
        if name
    )


def _of_sentence(sentence: Sentence, under: str | None) -> Iterator[Quantity]:
    words = tokens(sentence.text)
    opening = next((n for n, word in enumerate(words) if word.low not in ARTICLES), 0)
    places, first_place = rooms_in(words), room_at(words, opening)
    begin = at = first_place.after if first_place else 0
    first = True
    while at < len(words):
        size, number = size_at(words, at), number_at(words, at)
        if size or number is None:
            at = size[1] if size else at + 1
            continue
        found = _item(words, at, number, begin if first else at) if _certain(words, at, number) else None
        first = False
        if found is None:
            at = number.after
            continue
        beginning = first_place.name if first_place else under
        room = found.room or _room(places, at, found.after, words) or beginning
        item, key = " ".join(found.names), "".join(found.names)
        yield Quantity(number.value, found.unit, item, key, room, sentence)
        at = max(found.after, number.after)


def _certain(words: Sequence[Token], at: int, number: Number) -> bool:
    """Whether the number is exact, and an amount."""
    before, earlier, after = low(words, at - 1), low(words, at - 2), low(words, number.after)
    inexact = before in HEDGES | PARTIAL or (before == "than" and earlier in {"more", "less", "fewer"})
    of_several = before == "the" and earlier == "of"
    names = before in LABELS
    other = before in {"$", "€"} or after in {"%", "percent"}
    ranged = (before in BETWEEN and _ends_number(words, at - 2)) or (
        after in BETWEEN and _number(words, number.after + 1)
    )
    return not (inexact or of_several or names or other or ranged)


class _Item(NamedTuple):
    unit: Unit
    names: list[str]
    after: int
    room: str | None = None
    """Where it says so itself."""


def _item(words: Sequence[Token], at: int, number: Number, begin: int) -> _Item | None:
    """What a number counts or measures. A name in front of it begins at `begin`."""
    unit, here = _unit(words, number.after)
    if unit and unit.dimension == "length" and (attribute := ATTRIBUTES.get(low(words, here))):
        names, after = named(words, here + 1)
        names = names or subject(words, at)
        return _Item(unit, [*names, attribute], after) if names else None
    if not unit and low(words, here) == "of":
        return None
    names, after = named(words, here + 1 if low(words, here) == "of" else here)
    if low(words, after) in STATES and not any(low(words, n) in WANTED for n in range(after + 1, after + 4)):
        return None
    if not unit and len(names) > 1 and names[-1] in PACKED:
        unit = PACKED[names.pop()]
    if not names and unit and unit.name in PACKED and unit.name not in VAGUE:
        return _Item(COUNT, [unit.name], after)
    names = names or (subject(words, at) if unit and _has(words, here, unit) else [])
    room = None
    if not names:
        names, room = label(words, begin, at)
    if not unit and len(names) > 1 and names[-1] in PACKED:  # `Drywall sheets: 40`
        unit = PACKED[names.pop()]
    if not names or (not unit and names[-1] in VAGUE):
        return None
    if unit and unit is not COUNT and not room:  # what is counted keeps its name: a garage door
        room, names = leading(names)
    return _Item(unit or COUNT, names, after, room)


def _has(words: Sequence[Token], after: int, unit: Unit) -> bool:
    """Whether an amount, after which no item is named, is of what the sentence is about."""
    closed = after >= len(words) or words[after].kind == "mark" or words[after].low in CLOSED
    placed = low(words, after) in {"in", "on"} and bool(rooms_in(words[after:]))
    return unit.dimension in RATINGS or (unit.dimension in MEASURES and (closed or placed))


def _unit(words: Sequence[Token], at: int) -> tuple[Unit | None, int]:
    """The unit that stands at a token, and the token after it."""
    name = low(words, at)
    if is_power(name):
        unit = unit_of(low(words, at + 1), name)
        return (unit, at + 2) if unit else (None, at)
    if name == "in" and at + 1 < len(words) and words[at + 1].kind != "mark":
        return None, at  # the preposition
    unit = unit_of(name)
    return unit, at + 1 if unit else at


def _room(places: Sequence[Room], at: int, after: int, words: Sequence[Token]) -> str | None:
    """The first place said after an amount and before the next one, else one that was said before every amount."""
    following = next((room for room in places if room.first >= after), None)
    if following and not any(number_at(words, n) for n in range(after, following.first)):
        return following.name
    before = next((room for room in reversed(places) if room.after <= at), None)
    return before.name if before and not any(number_at(words, n) for n in range(before.first)) else None


def _number(words: Sequence[Token], at: int) -> bool:
    return at < len(words) and number_at(words, at) is not None


def _ends_number(words: Sequence[Token], at: int) -> bool:
    return any(found.after == at + 1 for n in range(max(0, at - 4), at + 1) if (found := number_at(words, n)))
