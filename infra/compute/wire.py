"""What compute servers are asked and answer, as JSON."""

from typing import Annotated

import msgspec

from infra.chunking import Chunk, Strategy
from infra.chunking.document import LARGEST, SMALLEST
from infra.chunking.spans import LONGEST

LONGEST_TEXT = 1_000_000
"""Characters: more than the longest chunk has. What a model cannot take it cuts off itself."""
MOST_TEXTS = 256
"""Texts of one request for vectors."""
LARGEST_BODY = 64 << 20
"""Bytes of a text that is sent to be cut."""
MOST_CHUNKS = 20_000
"""Of one document, and in one answer."""
LARGEST_DOCUMENT = 200 << 20


class _Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class PageShape(_Shape, frozen=True, kw_only=True):
    """Where a page, slide or sheet stands in the text: `text[startChar:endChar]`, in code points."""

    number: int
    start_char: int
    end_char: int


class ParsedShape(_Shape, frozen=True, kw_only=True):
    """A document as text."""

    text: str
    pages: tuple[PageShape, ...]
    media_type: str
    title: str | None
    language: str | None
    metadata: dict[str, str]
    """What the document says of itself, such as `author` and `created`."""


class ChunkBody(_Shape, frozen=True, kw_only=True):
    """A text, and how to cut it."""

    text: str
    pages: tuple[PageShape, ...] = ()
    """Ascending; no chunk goes across a page."""
    strategy: Strategy = "sentences"
    size: Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)] = LONGEST
    """Characters of a chunk at most; of `tokens`, words and signs."""
    overlap: Annotated[int, msgspec.Meta(ge=0, le=LARGEST // 2)] | None = None
    """The same of what a chunk repeats of the one before; half of the size at most. Unless given, a sixth of it, but
    not more than is usual."""
    most: Annotated[int, msgspec.Meta(ge=1, le=MOST_CHUNKS)] | None = None
    """Chunks that are wanted; of a text that makes more, one more is answered. Unless given, a text that makes more
    than 20,000 is refused."""


class ChunkShape(_Shape, frozen=True, kw_only=True):
    n: int
    text: str
    start_char: int
    end_char: int
    page: int | None = None

    @classmethod
    def of(cls, chunk: Chunk) -> "ChunkShape":
        return cls(
            n=chunk.n,
            text=chunk.text,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            page=chunk.page,
        )


class ChunksShape(_Shape, frozen=True, kw_only=True):
    chunking: str
    """Names the way the text was cut."""
    chunks: tuple[ChunkShape, ...]


class EmbedBody(_Shape, frozen=True, kw_only=True):
    texts: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)], ...],
        msgspec.Meta(min_length=1, max_length=MOST_TEXTS),
    ]


class VectorsShape(_Shape, frozen=True, kw_only=True):
    embedder: str
    """Only vectors of one embedder can be compared."""
    dimensions: int
    vectors: list[list[float]]
    """One of unit length for each text, in their order."""
