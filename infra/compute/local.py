"""The work done here: documents read in children, texts cut in a thread, vectors by the embedder that is set."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.chunking import Chunk, Strategy, chunks_of_text
from infra.chunking.document import Place
from infra.chunking.spans import LONGEST, OVERLAP
from infra.documents import Limits, Parsed, Parsers
from infra.embedding import Embedder


class LocalCompute:
    """As many documents at once as there are processors; further ones wait."""

    def __init__(
        self, embedder: Embedder, *, processes: int | None = None, limits: Limits | None = None
    ) -> None:
        self._embedder = embedder
        self._limits = limits or Limits()
        self._parsers = Parsers()
        self._places = asyncio.Semaphore(processes or max(2, os.cpu_count() or 2))
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    async def parse(self, content: bytes | Path, *, name: str = "", declared: str = "") -> Parsed:
        async with self._places:
            return await self._parsers.parse(content, name=name, declared=declared, limits=self._limits)

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
        return await asyncio.to_thread(
            chunks_of_text, text, pages, strategy=strategy, size=size, overlap=overlap, most=most
        )

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return await self._embedder.embed(texts)

    async def close(self) -> None:
        """End the processes that read documents. The embedder is closed by who made it."""
        await self._parsers.close()
