"""A transcript as one text, and its chunks with the times at which they were said."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from infra.chunking.chunkset import Chunk
from infra.chunking.spans import LONGEST, OVERLAP, Span, spans
from infra.speech import Segment

SEPARATOR = "\n"
NAME = f"segments_{LONGEST}_{OVERLAP}"
"""Names this way of cutting: chunks cut in another way go to another index."""


def full_text(segments: Sequence[Segment]) -> str:
    """The segments' texts, one a line. All character offsets refer to this text."""
    return SEPARATOR.join(segment.text for segment in segments)


def segment_spans(segments: Sequence[Segment]) -> list[Span]:
    """Where each segment stands in the full text."""
    ends = accumulate(len(segment.text) + len(SEPARATOR) for segment in segments)
    return [
        (end - len(SEPARATOR) - len(segment.text), end - len(SEPARATOR))
        for segment, end in zip(segments, ends, strict=True)
    ]


def chunks_of(segments: Sequence[Segment]) -> tuple[Chunk, ...]:
    """The transcript in chunks that begin with a segment where that is possible. Times never run backwards."""
    text, places = full_text(segments), segment_spans(segments)
    timeline = Timeline(segments, places)
    made: list[Chunk] = []
    start = end = 0.0
    for first, last in spans(text, [begin for begin, _ in places]):
        start = max(start, timeline.start(first))
        end = max(end, start, timeline.end(last))
        made.append(Chunk(len(made), text[first:last], first, last, start, end))
    return tuple(made)


class Anchor(NamedTuple):
    """A stretch of the text, and when it was said."""

    first: int
    last: int
    start: float
    end: float

    def at(self, offset: int) -> float:
        """When a character was reached, as if all took the same time."""
        share = (offset - self.first) / max(1, self.last - self.first)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


class Timeline:
    """When each character was said: exact where words begin and end, if the model gave words."""

    def __init__(self, segments: Sequence[Segment], places: Sequence[Span]) -> None:
        self._anchors = [
            anchor
            for segment, (first, last) in zip(segments, places, strict=True)
            for anchor in word_anchors(segment, first) or [Anchor(first, last, segment.start, segment.end)]
        ]

    def start(self, offset: int) -> float:
        """When the character at this offset begins."""
        return self._containing(offset).at(offset)

    def end(self, offset: int) -> float:
        """When the character before this offset ends."""
        return self._containing(offset - 1).at(offset)

    def _containing(self, offset: int) -> Anchor:
        n = bisect_right(self._anchors, offset, key=lambda anchor: anchor.first)
        return self._anchors[max(0, n - 1)]


def word_anchors(segment: Segment, first: int) -> list[Anchor]:
    """Where the segment's words stand in the text; none unless all are found in their order."""
    anchors = []
    position = 0
    for word in segment.words:
        position = segment.text.find(word.text, position)
        if position < 0:
            return []
        end = position + len(word.text)
        anchors.append(Anchor(first + position, first + end, word.start, word.end))
        position = end
    return anchors
