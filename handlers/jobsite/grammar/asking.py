"""What an action item says: what is to be done, by whom, and by when."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from handlers.jobsite.grammar.dates import DAYS, MONTHS, due_at, due_in
from handlers.jobsite.grammar.vocabulary import FILLERS, NO_OWNERS
from infra.extractive.numbers import Token, number_at

MUST = {"will", "should", "must", "shall"}
MUST_TO = {"needs", "has", "have", "ought"}


class Asked(NamedTuple):
    text: str
    owner: str | None
    due: date | None


def asked(words: Sequence[Token], text: str, today: date) -> Asked:
    """Read the words of an action item; `text` is what they stand in. The owner and the date are left out of it."""
    kept = list(words)
    kept, due = _without_due(kept, today)
    kept, owner = _without_owner(_trimmed(kept), cased=any(word.text[:1].isupper() for word in words[1:]))
    kept = _trimmed(kept)
    said = _plain(text[kept[0].first : kept[-1].last]) if kept else ""
    return Asked(said or _plain(text[words[0].first : words[-1].last]), owner, due)


def _without_due(words: list[Token], today: date) -> tuple[list[Token], date | None]:
    """A date at the beginning or the end is left out; one in the middle stays where it is."""
    if first := due_at(words, 0, today):
        return words[first.after :], first.on
    due = due_in(words, today)
    if due is None:
        return words, None
    rest = words[due.after :]
    if all(word.kind == "mark" for word in rest):
        return words[: due.first], due.on
    if rest[0].low == "for" and len(rest) <= 4:
        return words[: due.first] + rest, due.on
    return words, due.on


def _without_owner(words: list[Token], *, cased: bool) -> tuple[list[Token], str | None]:
    low = [word.low for word in words]
    match low:
        case ["for", name, *_] if _is_name(words[1], cased) and len(words) > 2:
            rest = words[2:]
            return (rest[1:] if rest[0].low == "to" else rest), _owner(words[1])
        case ["for", "the", name, mark, *_] if (
            name not in NO_OWNERS and mark in {":", ","} and len(words) > 4
        ):
            return words[4:], _owner(words[2])
        case ["the", name, "to", verb, *_] if name not in NO_OWNERS and verb.isalpha():
            return words[3:], _owner(words[1])
        case [name, "to", verb, *_] if name not in NO_OWNERS and verb.isalpha() and name.isalpha():
            return words[2:], _owner(words[0])
        case [name, must, _, *_] if must in MUST and name not in NO_OWNERS and _is_name(words[0], cased):
            return words[2:], _owner(words[0])
        case [name, must, "to", _, *_] if (
            must in MUST_TO and name not in NO_OWNERS and _is_name(words[0], cased)
        ):
            return words[3:], _owner(words[0])
        case [*_, "assigned", "to", name] if name not in NO_OWNERS:
            return words[:-3], _owner(words[-1])
        case [*_, "owner", name] if name not in NO_OWNERS:
            return words[:-2], _owner(words[-1])
        case [_, *_, "for", name] if cased and _is_name(words[-1], cased) and words[-1].text[:1].isupper():
            return words[:-2], _owner(words[-1])
    return words, None


def _is_name(word: Token, cased: bool) -> bool:
    """One word that may call a person, and is neither a day nor an amount."""
    plain = word.kind == "word" and word.low not in NO_OWNERS and word.low not in DAYS.keys() | MONTHS.keys()
    large = word.text[:1].isupper() or not cased
    return plain and large and number_at([word], 0) is None


def _owner(word: Token) -> str:
    return word.text[:1].upper() + word.text[1:]


def _trimmed(words: list[Token]) -> list[Token]:
    """Without marks and fillers around it."""
    while words and (words[0].kind == "mark" or words[0].low in FILLERS):
        words = words[1:]
    while words and (words[-1].kind == "mark" or words[-1].low in {"and", "um", "uh", "er", "please"}):
        words = words[:-1]
    return words


def _plain(text: str) -> str:
    """As it reads in a list."""
    line = re.sub(r"\s+", " ", text).strip(" .,;:!?-")
    return line[:1].upper() + line[1:]
