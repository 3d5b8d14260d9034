"""Texts as points in a space where what means the same lies close: three embedders behind one interface."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class EmbeddingUnavailable(ConnectionError):
    """The texts are not to blame: the same call may succeed later. The text says what to mend."""


class Embedder(Protocol):
    """Turns texts into vectors. Vectors of embedders of the same name can be compared, others never."""

    name: str
    """Identifies the vector space; safe as a part of an SQL identifier: `[a-z0-9_]+`."""
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of unit length for each text, in their order: (n, dimensions).

        A text without anything in it has a vector too, but it means nothing. Raises EmbeddingUnavailable.
        """
        ...

    async def close(self) -> None:
        """Let go of threads, memory and connections."""
        ...
