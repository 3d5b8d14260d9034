"""Where two transcripts of one recording differ, word by word, with the times at which it was said."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from infra.speech import Segment, Transcript, Word

WINDOW = 300.0
"""Seconds that are compared at once: what was said minutes apart is never the same moment."""
PAIRS = 60_000
"""Equal words that may be looked at in a window. Five minutes of fast speech have a third of it; of more, words that
are said all the time are not compared: that takes the square of them."""
KINDS = {"equal": "kept", "replace": "replaced", "insert": "inserted", "delete": "deleted"}


class Difference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stretch of words that both have, that one has instead of the other's, or that only one has."""

    kind: Literal["kept", "replaced", "inserted", "deleted"]
    start: float
    """Seconds in the recording."""
    end: float
    was: str
    now: str


def differences(before: Transcript, after: Transcript) -> tuple[Difference, ...]:
    """The whole recording, in order. Capitals and punctuation make no difference."""
    old, new = list(timed(before.segments)), list(timed(after.segments))
    length = max([before.seconds, after.seconds, *(word.end for word in (*old, *new))])
    found: list[Difference] = []
    for n in range(int(length // WINDOW) + 1):
        for each in _compared(_within(old, n), _within(new, n)):
            more = found and found[-1].kind == each.kind == "kept"
            found.append(_joined(found.pop(), each) if more else each)
    return tuple(found)


def timed(segments: Sequence[Segment]) -> Iterator[Word]:
    """Every word with its times: as if all letters took the same time, where the model does not tell."""
    for segment in segments:
        texts = segment.text.split()
        if len(texts) == len(segment.words):
            yield from (
                Word(text, word.start, word.end) for text, word in zip(texts, segment.words, strict=True)
            )
            continue
        letters, at = max(1, sum(map(len, texts))), 0
        pace = (segment.end - segment.start) / letters
        for text in texts:
            yield Word(text, segment.start + at * pace, segment.start + (at + len(text)) * pace)
            at += len(text)


def _within(words: Sequence[Word], n: int) -> list[Word]:
    return [word for word in words if int(max(word.start, 0.0) // WINDOW) == n]


def _compared(old: Sequence[Word], new: Sequence[Word]) -> Iterator[Difference]:
    one, other = [_plain(each) for each in old], [_plain(each) for each in new]
    counted = Counter(other)
    pairs = sum(counted[each] for each in one)
    matcher = SequenceMatcher(None, one, other, autojunk=pairs > PAIRS)
    for tag, i, j, k, m in matcher.get_opcodes():
        was, now = old[i:j], new[k:m]
        words = [*was, *now]
        yield Difference(
            kind=KINDS[tag],  # type: ignore[arg-type]
            start=min(word.start for word in words),
            end=max(word.end for word in words),
            was=" ".join(word.text for word in was),
            now=" ".join(word.text for word in now),
        )


def _plain(word: Word) -> str:
    return "".join(re.findall(r"\w+", word.text.casefold())) or word.text


def _joined(one: Difference, other: Difference) -> Difference:
    return Difference(
        kind=one.kind,
        start=one.start,
        end=other.end,
        was=f"{one.was} {other.was}",
        now=f"{one.now} {other.now}",
    )
