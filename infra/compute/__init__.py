"""The stateless work on documents and texts: done in this process and its children, or by servers of ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from infra.chunking import Chunk, Strategy
from infra.chunking.document import Place
from infra.chunking.spans import LONGEST, OVERLAP
from infra.documents import Parsed


class ComputeUnavailable(ConnectionError):
    """Nobody does the work now: the same call may succeed later. The text says what to mend."""


class Compute(Protocol):
    """Reads documents, cuts texts, makes vectors. Knows no log and no database."""

    name: str
    """Of the vector space, as `Embedder.name`."""
    dimensions: int

    async def parse(self, content: bytes | Path, *, name: str = "", declared: str = "") -> Parsed:
        """As `infra.documents.Parsers.parse`. Raises UnusableDocument, ParserUnavailable, ComputeUnavailable."""
        ...

    async def chunk(
        self,
        text: str,
        pages: Sequence[Place] = (),
        *,
        strategy: Strategy = "sentences",
        size: int = LONGEST,
        overlap: int = OVERLAP,
        most: int | None = None,
    ) -> tuple[Chunk, ...]:
        """As `chunks_of_text`. Raises BadChunking, ComputeUnavailable."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `Embedder.embed`. Raises EmbeddingUnavailable, ComputeUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...
