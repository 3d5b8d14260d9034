"""Sentences with their places: by punctuation where there is any, by the pauses of the speaker where there is none."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from infra.chunking import full_text, segment_spans
from infra.chunking.transcript import Timeline
from infra.speech import Segment

END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s+[\"'“‘(\[]?[A-Z0-9])|\n+")
"""The end of a sentence: its mark before a new beginning, or a line's end."""
ABBREVIATED = re.compile(
    r"\b(?:approx|ave|dept|dr|e\.g|etc|fig|ft|i\.e|in|inc|mr|mrs|ms|no|qty|sq|st|vs)\.$", re.I
)
"""Dots that end no sentence."""
NEAR = 16
"""Characters before a dot in which an abbreviation stands: looking through all of a long text each time takes hours."""

SPACE = re.compile(r"\s")
LONGEST = 1000
"""Characters of what is taken for one sentence: what is looked for in a sentence takes the square of its length."""


class Sentence(NamedTuple):
    """A sentence and where it stands; `start` and `end` are seconds of a recording, `page` is of a document."""

    text: str
    start_char: int
    end_char: int
    start: float | None = None
    end: float | None = None
    page: int | None = None


Pages = Sequence[tuple[int, int, int]]
"""First character, the one after the last, and the number of each page, in their order."""


def sentences_of_text(text: str, pages: Pages = ()) -> tuple[Sentence, ...]:
    """The sentences of a written text. Lines end sentences too: plans consist of lists and tables."""
    return tuple(
        Sentence(text[first:last], first, last, page=_page(first, pages)) for first, last in _spans(text, 0)
    )


def sentences_of_transcript(segments: Sequence[Segment]) -> tuple[Sentence, ...]:
    """The sentences of a recording; a segment without punctuation is one, since a pause ended it."""
    text, places = full_text(segments), segment_spans(segments)
    timeline = Timeline(segments, places)
    return tuple(
        Sentence(text[first:last], first, last, timeline.start(first), timeline.end(last))
        for segment, (begin, _) in zip(segments, places, strict=True)
        for first, last in _spans(segment.text, begin)
    )


def _abbreviated(text: str, end: int) -> bool:
    return ABBREVIATED.search(text, max(0, end - NEAR), end) is not None


def _spans(text: str, offset: int) -> Iterator[tuple[int, int]]:
    start = 0
    for end in END.finditer(text):
        if end.group().startswith("\n") or not _abbreviated(text, end.end()):
            yield from _trimmed(text, start, end.end(), offset)
            start = end.end()
    yield from _trimmed(text, start, len(text), offset)


def _trimmed(text: str, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        gap = SPACE.search(text, start + LONGEST // 2, start + LONGEST)
        cut = gap.end() if gap else start + LONGEST
        yield from _whole(text, start, cut, offset)
        start = cut
    yield from _whole(text, start, end, offset)


def _whole(text: str, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if content := piece.strip():
        first = start + piece.index(content)
        yield offset + first, offset + first + len(content)


def _page(at: int, pages: Pages) -> int | None:
    n = bisect_right(pages, at, key=itemgetter(0)) - 1
    return pages[n][2] if n >= 0 and at < pages[n][1] else None
