"""The chunks of a text together with their vectors, as they lie in the blob store."""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

MEDIA_TYPE = "application/vnd.headwater.chunks+msgpack"
WIRE = np.dtype("<f2")


class Chunk(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A piece of a text: `text[start_char:end_char]`."""

    n: int
    """Its place among the chunks, from 0."""
    text: str
    start_char: int
    """Offsets count Unicode code points."""
    end_char: int
    start: float | None = None
    """In a recording: the seconds between which it was said."""
    end: float | None = None
    page: int | None = None
    """In a document with pages: the one on which it begins, from 1."""


class ChunkSet(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All chunks of one text and, in the same order, their vectors. Made by `of`, read by `decode`."""

    version: Literal[1] = 1
    embedder: str
    """Name of the vector space."""
    dimensions: int
    chunking: str
    """Name of the way the text was cut."""
    chunks: tuple[Chunk, ...]
    vectors: bytes
    """Little-endian half-precision numbers, `dimensions` for each chunk."""

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.chunks) * self.dimensions * WIRE.itemsize:
            raise ValueError(
                f"{len(self.chunks)} chunks of {self.dimensions} dimensions, {len(self.vectors)} bytes"
            )

    @classmethod
    def of(
        cls,
        chunks: tuple[Chunk, ...],
        vectors: NDArray[np.float32],
        *,
        embedder: str,
        dimensions: int,
        chunking: str,
    ) -> "ChunkSet":
        """Chunks with one vector each, stored in half precision: what Postgres compares."""
        return cls(
            embedder=embedder,
            dimensions=dimensions,
            chunking=chunking,
            chunks=chunks,
            vectors=vectors.astype(WIRE).tobytes(),
        )

    def half_vectors(self) -> list[HalfVector]:
        """One a chunk, as asyncpg takes them once `pgvector.asyncpg.register_vector` was called."""
        rows = np.frombuffer(self.vectors, WIRE).reshape(len(self.chunks), self.dimensions)
        return [HalfVector(row) for row in rows]

    def encode(self) -> bytes:
        """As MessagePack: the same chunks and vectors always give the same bytes."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "ChunkSet":
        """Raises msgspec.DecodeError for anything that `encode` of a known version did not make."""
        return _decoder.decode(content)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ChunkSet)
