"""What stages and re-indexing make: text of a file, chunks of a text, vectors of chunks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from events.knowledge import Chunking
from infra.chunking.chunkset import Chunk, ChunkSet
from infra.compute import Compute
from infra.compute.wire import MOST_CHUNKS
from infra.documents import Parsed
from infra.embedding import Embedder, EmbeddingUnavailable

AT_ONCE = 32
"""Chunks embedded between two reports of progress."""


class TooManyChunks(ValueError):
    """The text is cut too small."""

    code = "TOO_MANY_CHUNKS"

    def __init__(self) -> None:
        self.detail = f"The document makes more than {MOST_CHUNKS:,} chunks. Choose a larger size."
        super().__init__(self.detail)


def chunking_name(chunking: Chunking) -> str:
    return f"{chunking.strategy}_{chunking.size}_{chunking.overlap}"


@dataclass(frozen=True)
class Making:
    """With which models. `embedders` are by their names."""

    compute: Compute
    embedders: Mapping[str, Embedder]

    async def parse(self, path: Path, name: str, declared: str) -> Parsed:
        """Raises UnusableDocument, and what may be better later."""
        return await self.compute.parse(path, name=name, declared=declared)

    async def chunks(self, parsed: Parsed, chunking: Chunking) -> tuple[Chunk, ...]:
        """Raises TooManyChunks."""
        chunks = await self.compute.chunk(
            parsed.text,
            parsed.pages,
            strategy=chunking.strategy,  # type: ignore[arg-type]  # checked when it was asked for
            size=chunking.size,
            overlap=chunking.overlap,
            most=MOST_CHUNKS,
        )
        if len(chunks) > MOST_CHUNKS:
            raise TooManyChunks
        return chunks

    async def vectors(
        self, embedder: str, chunking: Chunking, chunks: Sequence[Chunk], report: Callable[[float], None]
    ) -> ChunkSet:
        """Raises EmbeddingUnavailable."""
        model = self.embedders.get(embedder)
        if model is None:
            raise EmbeddingUnavailable(
                f"The embedder {embedder} is not available here; configure it, or re-index with another."
            )
        vectors = np.empty((len(chunks), model.dimensions), np.float32)
        for start in range(0, len(chunks), AT_ONCE):
            batch = chunks[start : start + AT_ONCE]
            vectors[start : start + len(batch)] = await model.embed([chunk.text for chunk in batch])
            report((start + len(batch)) / len(chunks))
        return ChunkSet.of(
            tuple(chunks),
            vectors,
            embedder=embedder,
            dimensions=model.dimensions,
            chunking=chunking_name(chunking),
        )
