"""A transcript as people set it right. Corrections are anchored by time, so they hold for another transcript too."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import structs

from events.jobsite import Correction, SpeakerCorrection, TextCorrection
from infra.speech import Segment, Transcript


def corrected(transcript: Transcript, corrections: Iterable[Correction]) -> Transcript:
    """The transcript with all corrections, each made in what those before it left."""
    segments = transcript.segments
    for each in corrections:
        if isinstance(each, TextCorrection):
            segments = _reworded(segments, each, transcript.seconds)
        else:
            segments = tuple([_renamed(segment, each) for segment in segments])
    return structs.replace(transcript, segments=segments)


class _Piece(NamedTuple):
    """A word of a segment with its place in the text, and when it is said: as if all letters took the same time,
    where the model does not tell."""

    first: int
    last: int
    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def _reworded(segments: Sequence[Segment], made: TextCorrection, seconds: float) -> tuple[Segment, ...]:
    """What is said in that time is replaced by one segment; of segments that reach beyond it the rest stays."""
    start = min(max(made.start, 0.0), seconds)
    end = min(max(made.end, start), seconds)
    kept: list[Segment] = []
    speaker, longest = None, -1.0
    for segment in segments:
        shared = min(segment.end, end) - max(segment.start, start)
        if shared < 0 or (shared == 0 and not start <= (segment.start + segment.end) / 2 <= end):
            kept.append(segment)
            continue
        rest = _rest(segment, start, end)
        kept += rest
        if rest != [segment] and shared > longest:
            speaker, longest = segment.speaker, shared
    kept.append(Segment(made.text, start, end, speaker=speaker))
    return tuple(sorted(kept, key=lambda segment: (segment.start, segment.end)))


def _rest(segment: Segment, start: float, end: float) -> list[Segment]:
    """What remains of a segment without the words in the middle of which is in that time."""
    pieces = _pieces(segment)
    before = [each for each in pieces if each.middle < start]
    after = [each for each in pieces if each.middle > end]
    if pieces and len(before) + len(after) == len(pieces) and not (before and after):
        return [segment]
    return [
        *([_part(segment, before, segment.start, min(start, before[-1].end))] if before else []),
        *([_part(segment, after, max(end, after[0].start), segment.end)] if after else []),
    ]


def _part(segment: Segment, pieces: Sequence[_Piece], start: float, end: float) -> Segment:
    words = tuple(
        [
            each
            for each in segment.words
            if pieces[0].middle <= (each.start + each.end) / 2 <= pieces[-1].middle
        ]
    )
    text = segment.text[pieces[0].first : pieces[-1].last]
    return structs.replace(segment, text=text, start=start, end=max(start, end), words=words)


def _pieces(segment: Segment) -> list[_Piece]:
    places: list[tuple[int, int]] = []
    at = 0
    for word in segment.text.split():
        first = segment.text.index(word, at)
        at = first + len(word)
        places.append((first, at))
    if len(places) == len(segment.words):
        return [
            _Piece(*place, word.start, word.end) for place, word in zip(places, segment.words, strict=True)
        ]
    pace = (segment.end - segment.start) / max(1, len(segment.text))
    return [
        _Piece(first, last, segment.start + first * pace, segment.start + last * pace)
        for first, last in places
    ]


def _renamed(segment: Segment, made: SpeakerCorrection) -> Segment:
    """The segment is that speaker's when more than half of it lies within their stretches."""
    shared = sum(max(0.0, min(segment.end, end) - max(segment.start, start)) for start, end in made.spans)
    length = segment.end - segment.start
    within = shared > length / 2 or (
        length == 0 and any(start <= segment.start <= end for start, end in made.spans)
    )
    return structs.replace(segment, speaker=made.name) if within else segment
