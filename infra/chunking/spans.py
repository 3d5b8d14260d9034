"""Where to cut a text: stretches of bounded length that overlap a little and prefer to begin where a thought does."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 900
"""Characters of a stretch at most; English of this length just fits into MiniLM's 256 word pieces."""
OVERLAP = 150
"""Characters at most that a stretch repeats of the one before, so that a sentence across the cut is whole in one."""
SHORTEST = LONGEST // 2
"""A stretch that is followed by another has at least about this many characters."""

Span = tuple[int, int]
"""First character and the one after the last, in Unicode code points."""


def spans(
    text: str, breaks: Iterable[int] = (), *, longest: int = LONGEST, overlap: int = OVERLAP
) -> Iterator[Span]:
    """Cut a text, best at `breaks` (ascending offsets where a unit such as a sentence begins), else between words.

    Every character but white space is in at least one span; spans begin and end later and later, never with
    white space; a word longer than a span is cut. `overlap` is half of `longest` at most.
    """
    places = array("I", (at for at in breaks if begins_word(text, at)))  # millions, in a long text
    end = len(text.rstrip())
    start = skip_space(text, 0)
    while start < end:
        if end - start <= longest:
            yield start, end
            return
        cut = last_break(text, places, start + longest // 2, start + longest)
        yield start, start + len(text[start:cut].rstrip())
        start = first_break(text, places, cut - overlap, cut)


def last_break(text: str, breaks: Sequence[int], after: int, to: int) -> int:
    """The last place to cut in (after, to]; if there is none, `to`."""
    n = bisect_right(breaks, to)
    if n and breaks[n - 1] > after:
        return breaks[n - 1]
    return next((at for at in range(to, after, -1) if begins_word(text, at)), to)


def first_break(text: str, breaks: Sequence[int], start: int, before: int) -> int:
    """The first place to begin in [start, before); if there is none, the first word from `before` on."""
    n = bisect_left(breaks, start)
    if n < len(breaks) and breaks[n] < before:
        return breaks[n]
    words = (at for at in range(start, before) if begins_word(text, at))
    return next(words, skip_space(text, before))


def begins_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isspace() and not text[at].isspace()


def skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
