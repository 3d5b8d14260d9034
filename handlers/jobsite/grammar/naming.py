"""The names of jobs and builders: by their capitals where there are some, else by the words that end them."""

from handlers.jobsite.grammar.note import Note, Sentence
from handlers.jobsite.grammar.vocabulary import (
    ADDRESSES,
    ARTICLES,
    FIRMS,
    LONGEST_NAME,
    MOST_PIECES,
    NAME_STOPS,
    NO_NAMES,
    VERBS,
)

WITHIN = frozenset({"of", "the", "and", "&", "'", "’", "-", "no", "at"})
"""What may stand inside a name that is written large."""
KEYWORDS = (("action", "item"), ("job",), ("builder",), ("note", "to"), ("note", "for"), ("office", "note"))


def name_at(note: Note, at: int, sentence: Sentence) -> tuple[int, int] | None:
    """The words of a name from a word on; None when it is an ordinary sentence."""
    while at < sentence.after and note.low(at) in {"called", "named", "name", "number", "is", *ARTICLES}:
        if note.low(at) == "is" and not sentence.cased:
            return None
        at += 1
    if at >= sentence.after or note.is_mark(at):
        return None
    first = note.words[at]
    if sentence.cased and not (first.text[:1].isupper() or first.kind == "number"):
        return None
    if first.low in NO_NAMES:
        return None
    after = _large(note, at, sentence) if sentence.cased else _small(note, at, sentence)
    ordinary = after is None or note.low(after) in VERBS or note.says(after, "'", "s")
    return None if ordinary or note.words[at].low.endswith(("'s", "’s")) else (at, after)  # type: ignore[return-value]


def _keyword(note: Note, at: int) -> bool:
    return any(note.says(at, *each) for each in KEYWORDS)


def _large(note: Note, at: int, sentence: Sentence) -> int | None:
    """A run of words written large, with small ones between them."""
    after = at + 1
    here = after
    while here < sentence.after and here - at < MOST_PIECES and not _keyword(note, here):
        word = note.words[here]
        if word.text[:1].isupper() or word.kind in {"number", "times"} or _of_number(note, here):
            after = here + 1
        elif word.text == "." and note.low(here - 1) in {"st", "no", "mt", "dr", "co"}:
            pass
        elif word.low not in WITHIN:
            break
        here += 1
    return after if after - at < MOST_PIECES and note.said(at, after) <= LONGEST_NAME + 3 else None


def _of_number(note: Note, at: int) -> bool:
    """Whether a word is the rest of a number, as in `3rd`."""
    return note.words[at - 1].kind == "number" and note.glued(at)


def _small(note: Note, at: int, sentence: Sentence) -> int | None:
    after = at + 1
    if note.low(at) in ADDRESSES:
        return None
    while after < sentence.after and not note.is_mark(after) and not _keyword(note, after):
        if note.low(after) == "and" and note.low(after + 1) in FIRMS:
            return after + 2
        if note.low(after) in NAME_STOPS | NO_NAMES - {"one"} and not note.glued(after):
            return after
        after += 1
        if note.low(after - 1) in ADDRESSES and note.low(after) not in ADDRESSES:
            return after
        if after - at == MOST_PIECES or note.said(at, after) > LONGEST_NAME:
            return None
    return after


def titled(text: str) -> str:
    """A name as it is written when it was only heard: `maple street` is `Maple Street`."""
    if any(letter.isupper() for letter in text):
        return " ".join(text.split())
    first, *rest = text.split()
    small = {"and", "of", "the"}
    return " ".join([first.capitalize(), *(word if word in small else word.capitalize() for word in rest)])
