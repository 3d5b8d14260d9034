"""Quotes that really stand where a citation says, chosen from passages; markers that point nowhere are dropped."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.extractive import sentences_of_text
from infra.retrieval.hybrid import Hit

MARKER = re.compile(r"\s?\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
"""`[1]` or `[1, 3]` in an answer."""
WORD = re.compile(r"\w+")
COMMON = frozenset(
    WORD.findall(
        "a about all an and any are as at be been but by can did do does for from had has have he her his how i if in "
        "is it its long many me much must my no not of on or our she should so some than that the their them there "
        "they this to until up us was we were what when where which who whose why will with would you your"
    )
)
STEM = 5
"""Letters by which two words are taken for forms of one."""
LONGEST_QUOTE = 400
"""Characters."""


@dataclass(frozen=True)
class Passage:
    """A hit as an answer may refer to it."""

    number: int
    """`[1]` in the answer."""
    hit: Hit
    title: str
    context: str
    index: str


@dataclass(frozen=True)
class Citation:
    """A piece of a passage that an answer stands on; it begins and ends at these characters of the passage's text."""

    passage: Passage
    first: int
    last: int

    @property
    def quote(self) -> str:
        return self.passage.hit.text[self.first : self.last]

    @property
    def start_char(self) -> int:
        """In the source's text."""
        return self.passage.hit.start_char + self.first

    @property
    def end_char(self) -> int:
        return self.passage.hit.start_char + self.last


def hash_of(text: str) -> str:
    """Tells whether a passage still says what it said; half a sha256, which nobody takes for the key of a blob."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def words_of(text: str) -> frozenset[str]:
    """The words that mean something, without their endings."""
    return frozenset(word[:STEM] for word in WORD.findall(text.lower()) if word not in COMMON)


def coverage(question: frozenset[str], text: str) -> float:
    """The share of the question's words that a text has."""
    return len(question & words_of(text)) / len(question) if question else 0.0


def verified(answer: str, passages: Sequence[Passage]) -> tuple[str, tuple[Citation, ...]]:
    """The answer with only those markers that point to a passage, and for each passage cited, what there says so."""
    known = {passage.number: passage for passage in passages}
    claims: dict[int, list[str]] = {}

    def checked(found: re.Match[str]) -> str:
        numbers = [n for n in map(int, re.findall(r"\d+", found[1])) if n in known]
        claim = _claim(answer, found.start())
        for n in dict.fromkeys(numbers):
            claims.setdefault(n, []).append(claim)
        space = " " if found[0][0].isspace() else ""
        return space + "".join(f"[{n}]" for n in dict.fromkeys(numbers)) if numbers else ""

    text = MARKER.sub(checked, answer).strip()
    return text, tuple(_cited(known[n], " ".join(said)) for n, said in sorted(claims.items()))


def _claim(answer: str, at: int) -> str:
    """What stands before a marker, back to where its sentence begins."""
    before = MARKER.sub("", answer[:at]).rstrip(" .!?")
    return re.split(r"(?<=[.!?])\s+|\n+", before)[-1]


def _cited(passage: Passage, claim: str) -> Citation:
    said = words_of(claim)
    return best_quote(passage, lambda sentence: coverage(said, sentence))


def best_quote(passage: Passage, worth: Callable[[str], float]) -> Citation:
    """The sentence of a passage that is worth most; a question goes with what follows it."""
    spots = [(each.start_char, each.end_char) for each in sentences_of_text(passage.hit.text)]
    if not spots:
        return Citation(passage, 0, min(len(passage.hit.text), LONGEST_QUOTE))
    best = max(range(len(spots)), key=lambda n: (worth(passage.hit.text[slice(*spots[n])]), -n))
    return quoted(passage, spots, best)


def quoted(passage: Passage, spots: Sequence[tuple[int, int]], n: int, *, least: int = 0) -> Citation:
    """The nth sentence as a quote, with those behind it up to `least` characters; a question goes with its answer."""
    first, last = spots[n]
    for _, end in spots[n + 1 :]:
        enough = last - first >= least and not passage.hit.text[first:last].endswith("?")
        if enough or end - first > LONGEST_QUOTE:
            break
        last = end
    return Citation(passage, first, min(last, first + LONGEST_QUOTE))
