"""Numbers as they are written and spoken: `1,200`, `3 1/2`, `forty two`, `a dozen`, `half a yard`, `two by six`."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from infra.extractive.units import MEASURES, is_power, unit_of

WORD = re.compile(
    r"(?P<times>\d+\s*[x×]\s*\d+(?!\d))(?:s\b)?"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+/\d+|\d+)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)"
    r"|(?P<mark>[\"″'′½¼¾%$€]|[^\w\s])"
)  # fmt: skip
UNITS = {
    word: n
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * n
    for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"hundred": 100.0, "thousand": 1000.0}
FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75}
PARTS = {
    f"{word}{ending}": part
    for word, part in {"third": 1 / 3, "quarter": 0.25, "eighth": 0.125, "sixteenth": 0.0625}.items()
    for ending in ("", "s")
} | {"half": 0.5}
LONGEST = 24
"""Characters of a number: what is longer is none that anybody counts with, and Python may refuse to read it."""
SIZES = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 12})
"""Inches and feet by which boards and sheets are called: a two by six, a four by eight."""


class Token(NamedTuple):
    """A word, a number or a mark, and where it stands."""

    text: str
    first: int
    last: int
    kind: str

    @property
    def low(self) -> str:
        return self.text.lower()


class Number(NamedTuple):
    """A number found at a token, and the token after it."""

    value: float
    after: int


def tokens(text: str) -> list[Token]:
    """The words of a text; the hyphens of `two-by-six` are left out, and rows of digits that are no number."""
    found = [
        Token(m.group(m.lastgroup or 0), m.start(), m.end(), m.lastgroup or "")
        for m in WORD.finditer(text)
        if m.lastgroup not in {"number", "times"} or m.end() - m.start() <= LONGEST
    ]
    return [
        word
        for n, word in enumerate(found)
        if not (word.text == "-" and any(each.low == "by" for each in found[max(0, n - 1) : n + 2]))
    ]


def number_at(words: Sequence[Token], at: int) -> Number | None:
    """The number that begins at a token. `a` is one only before a dozen, a hundred, a thousand."""
    first = words[at]
    if first.kind == "number":
        return _written(words, at)
    if first.low in {"a", "one"} and at + 1 < len(words) and words[at + 1].low in {"dozen", *SCALES}:
        return _scaled(words, at + 1, 1.0)
    if (
        first.low == "half"
        and at + 2 < len(words)
        and words[at + 1].low == "a"
        and words[at + 2].low == "dozen"
    ):
        return Number(6.0, at + 3)
    return _part(words, at) or _spoken(words, at)


def size_at(words: Sequence[Token], at: int) -> tuple[str, int] | None:
    """`two by six`, `2x6` or `4 by 8` at a token, as `2x6`, and the token after it."""
    if at < len(words) and words[at].kind == "times":
        return re.sub(r"\s*[x×]\s*", "x", words[at].text), at + 1
    if at + 2 < len(words) and words[at + 1].low in {"by", "x", "×"}:
        one, other = _size(words[at]), _size(words[at + 2])
        if one and other:
            return f"{one}x{other}", at + 3
    return None


def _size(word: Token) -> int | None:
    low = word.low
    value = (
        int(low)
        if low.isdecimal()
        else UNITS.get(low) or UNITS.get(low.removesuffix("es")) or UNITS.get(low.removesuffix("s"))
    )
    return value if value in SIZES else None


def _written(words: Sequence[Token], at: int) -> Number:
    text = words[at].text.replace(",", "")
    if "/" in text:
        top, bottom = text.split("/")
        return Number(int(top) / int(bottom) if int(bottom) else 0.0, at + 1)
    value = float(text)
    following = words[at + 1] if at + 1 < len(words) else None
    if following and following.kind == "number" and "/" in following.text and value == int(value):
        return Number(value + _written(words, at + 1).value, at + 2)
    if following and following.text in FRACTIONS:
        return Number(value + FRACTIONS[following.text], at + 2)
    return _and_a_part(words, at + 1, value) or _scaled(words, at + 1, value)


def _spoken(words: Sequence[Token], at: int) -> Number | None:
    """`forty two`, `forty-two`, `two hundred and ten`, `three and a half`."""
    total, group, here, seen = 0.0, -1.0, at, at
    while here < len(words):
        low = words[here].low
        if low in TENS and (group < 0 or (group >= 100 and group % 100 == 0)):
            group = max(group, 0) + TENS[low]
        elif low in UNITS and _takes_unit(group, UNITS[low]) and not (seen > at and size_at(words, here)):
            group = max(group, 0) + UNITS[low]
        elif low == "hundred" and 0 < group < 100:
            group *= 100
        elif low == "thousand" and group > 0:
            total, group = total + group * 1000, 0.0
        elif here > at and low in {"and", "-"} and here + 1 < len(words) and _goes_on(words, here, group):
            here += 1
            continue
        else:
            break
        here += 1
        seen = here
    if seen == at:
        return None
    value = total + max(group, 0)
    return _and_a_part(words, seen, value) or _scaled(words, seen, value)


def _part(words: Sequence[Token], at: int) -> Number | None:
    """Less than one of a measure: `half a yard`, `a quarter of an inch`, `three quarters of an inch`.

    `half inch drywall` is none of it: that is how thick it is.
    """
    count, here = _count_of_parts(words, at)
    part = PARTS.get(_low(words, here))
    if part is None:
        return None
    one = here + 1
    if _low(words, one) == "of":
        one += 1
    elif here > at or _low(words, here) != "half":
        return None
    measured = _low(words, one) in {"a", "an"} and _is_measure(words, one + 1)
    return Number(count * part, one + 1) if measured else None


def _and_a_part(words: Sequence[Token], at: int, value: float) -> Number | None:
    """`two and a half`, `3 and three quarters`; of what may follow."""
    if _low(words, at) != "and":
        return None
    count, here = _count_of_parts(words, at + 1)
    part = PARTS.get(_low(words, here))
    return Number(value + count * part, here + 1) if part and here > at + 1 else None


def _count_of_parts(words: Sequence[Token], at: int) -> tuple[int, int]:
    word = _low(words, at)
    if word == "a":
        return 1, at + 1
    return (UNITS[word], at + 1) if UNITS.get(word) else (1, at)


def _is_measure(words: Sequence[Token], at: int) -> bool:
    power = is_power(_low(words, at))
    unit = unit_of(_low(words, at + 1), _low(words, at)) if power else unit_of(_low(words, at))
    return unit is not None and unit.dimension in MEASURES


def _low(words: Sequence[Token], at: int) -> str:
    return words[at].low if at < len(words) else ""


def _takes_unit(group: float, unit: int) -> bool:
    if group < 0:
        return True
    return unit > 0 and (
        (group % 100 in TENS.values() and unit < 10) or (group >= 100 and group % 100 == 0) or group == 0
    )


def _goes_on(words: Sequence[Token], here: int, group: float) -> bool:
    """Whether `and` or `-` stands within one number: `two hundred and ten`, `forty-two`."""
    following = words[here + 1].low
    if words[here].text == "-":
        return (
            words[here].first == words[here - 1].last and following in UNITS and group % 100 in TENS.values()
        )
    return group >= 100 and group % 100 == 0 and (following in UNITS or following in TENS)


def _scaled(words: Sequence[Token], at: int, value: float) -> Number:
    low = words[at].low if at < len(words) else ""
    if low == "dozen":
        return Number(value * 12, at + 1)
    if low in SCALES and value < SCALES[low]:
        return Number(value * SCALES[low], at + 1)
    return Number(value, at)
