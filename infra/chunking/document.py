"""A document's text in chunks that know their place and their page, cut in one of four ways."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Literal, get_args

from infra.chunking.chunkset import Chunk
from infra.chunking.spans import LONGEST, OVERLAP, Span, spans

Strategy = Literal["sentences", "headings", "recursive", "tokens"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
SMALLEST, LARGEST = 20, 8000
"""What `size` may be."""
LONGEST_TOKEN = 20
"""Characters; a longer word counts as several."""

Place = tuple[int, int, int]
"""First character, the one after the last, and the number of a page."""

_SENTENCE = re.compile(r"(?<=[.!?…。])[\"'”’)\]]*\s+(?=\S)|\n\s*(?=\S)")
_HEADING = re.compile(r"^#{1,6}\s+\S", re.MULTILINE)
_FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?(?:^(?P=fence)\s*$|\Z)", re.MULTILINE | re.DOTALL)
_VISIBLE = re.compile(r"\S")
_TOKEN = re.compile(rf"\w{{1,{LONGEST_TOKEN}}}|[^\w\s]")


class BadChunking(ValueError):
    """A strategy, size or overlap that cannot be used; the text says why."""


def check(strategy: str, size: int, overlap: int) -> None:
    """Raises BadChunking."""
    if strategy not in STRATEGIES:
        raise BadChunking(f"There is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}.")
    if not SMALLEST <= size <= LARGEST:
        raise BadChunking(f"A chunk's size may be {SMALLEST} to {LARGEST}, not {size}.")
    if not 0 <= overlap <= size // 2:
        raise BadChunking(f"The overlap may be 0 to half of the size ({size // 2}), not {overlap}.")


def chunking_name(strategy: Strategy = "sentences", size: int = LONGEST, overlap: int = OVERLAP) -> str:
    """Names a way of cutting, as a part of an index's name."""
    return f"{strategy}_{size}_{overlap}"


def chunks_of_text(
    text: str,
    pages: Sequence[Place] = (),
    *,
    strategy: Strategy = "sentences",
    size: int = LONGEST,
    overlap: int = OVERLAP,
    most: int | None = None,
) -> tuple[Chunk, ...]:
    """The text in chunks of `size` at most: characters, or words and signs if the strategy is `tokens`.

    Of a text that makes more than `most` chunks, only one more than that are made.

    - `sentences`: cut where a sentence begins, else between words.
    - `headings`: cut at Markdown headings first, then as `sentences`; nothing overlaps from one section to the next.
    - `recursive`: cut at paragraphs, then lines, sentences, words, by chonkie; chunks do not overlap.
    - `tokens`: so many words and signs each, as models count, without regard to sentences.

    No chunk goes across a page. Every character but white space is in one at least. Raises BadChunking.
    """
    check(strategy, size, overlap)
    cut = CUTS[strategy]
    if strategy == "recursive" and most is not None:
        text = _up_to(text, (most + 1) * size)  # chonkie makes all chunks at once; of this there are too many
    places = (
        (first + start, first + end, page)
        for first, last, page in _stretches(text, pages)
        for start, end in cut(text[first:last], size, overlap)
    )
    return tuple(
        Chunk(n, text[start:end], start, end, page=page)
        for n, (start, end, page) in enumerate(islice(places, None if most is None else most + 1))
    )


def _stretches(text: str, pages: Sequence[Place]) -> Iterator[tuple[int, int, int | None]]:
    """The pages, and what stands between them."""
    at = 0
    for first, last, number in pages:
        yield at, first, None
        yield first, last, number
        at = last
    yield at, len(text), None


def _sentences(text: str, size: int, overlap: int) -> Iterator[Span]:
    text = text.rstrip()  # each of many line breaks at the end would be looked at again and again
    return spans(text, (match.end() for match in _SENTENCE.finditer(text)), longest=size, overlap=overlap)


def _headings(text: str, size: int, overlap: int) -> Iterator[Span]:
    for first, last in pairwise(chain([0], _sections(text), [len(text)])):
        for start, end in _sentences(text[first:last], size, overlap):
            yield first + start, first + end


def _sections(text: str) -> Iterator[int]:
    """Where headings begin, but those in fenced code."""
    fences = (match.span() for match in _FENCE.finditer(text))
    opened = closed = 0
    for match in _HEADING.finditer(text):
        at = match.start()
        while closed <= at:
            opened, closed = next(fences, (len(text), len(text)))
        if at <= opened:
            yield at


def _up_to(text: str, characters: int) -> str:
    """The beginning of a text with so many characters that are no white space."""
    beyond = next(islice(_VISIBLE.finditer(text), characters, None), None)
    return text[: beyond.start()] if beyond else text


def _recursive(text: str, size: int, overlap: int) -> Iterator[Span]:
    from chonkie.chunker.recursive import RecursiveChunker  # noqa: PLC0415 (0.4 s that only its users should pay)

    chunker = RecursiveChunker(tokenizer="character", chunk_size=size, min_characters_per_chunk=1)
    for chunk in chunker.chunk(text) if text.strip() else ():
        piece = text[chunk.start_index : chunk.end_index]
        start = chunk.start_index + len(piece) - len(piece.lstrip())
        if piece.strip():
            yield start, start + len(piece.strip())


def _tokens(text: str, size: int, overlap: int) -> Iterator[Span]:
    tokens = (match.span() for match in _TOKEN.finditer(text))
    window = further = list(islice(tokens, size))
    while further:
        yield window[0][0], window[-1][1]
        further = list(islice(tokens, size - overlap))
        window = [*window[size - overlap :], *further]


CUTS: dict[Strategy, Callable[[str, int, int], Iterator[Span]]] = {
    "sentences": _sentences,
    "headings": _headings,
    "recursive": _recursive,
    "tokens": _tokens,
}
