"""Sentences with their places: by punctuation where there is any, by the pauses of the speaker where there is none."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from infra.chunking import full_text, segment_spans
from infra.chunking.transcript import Timeline
from infra.speech import Segment

END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9])|\n+")
"""The end of a sentence: its mark before a new beginning, or a line's end."""
ABBREVIATED = re.compile(
    r"\b(?:approx|ave|dept|dr|e\.g|etc|fig|ft|i\.e|in|inc|mr|mrs|ms|no|qty|sq|st|vs)\.$", re.I
)
"""Dots that end no sentence."""


class Sentence(NamedTuple):
    """A sentence and where it stands; `start` and `end` are seconds of a recording, `page` is of a document."""

    text: str
    start_char: int
    end_char: int
    start: float | None = None
    end: float | None = None
    page: int | None = None


Pages = Sequence[tuple[int, int, int]]
"""First character, the one after the last, and the number of each page."""


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


def _spans(text: str, offset: int) -> Iterator[tuple[int, int]]:
    start = 0
    for end in END.finditer(text):
        if end.group().startswith("\n") or not ABBREVIATED.search(text[: end.end()]):
            yield from _trimmed(text, start, end.end(), offset)
            start = end.end()
    yield from _trimmed(text, start, len(text), offset)


def _trimmed(text: str, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if content := piece.strip():
        first = start + piece.index(content)
        yield offset + first, offset + first + len(content)


def _page(at: int, pages: Pages) -> int | None:
    return next((number for first, last, number in pages if first <= at < last), None)
