"""An embedder without a model: texts are close if they share words and parts of words, whatever they mean."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\w+")
DIMENSIONS = 384


class Lexical:
    """Feature hashing (Weinberger et al. 2009) of words, pairs of words and letter trigrams.

    The same text has the same vector on every machine and in every process. A text without a word has the
    first unit vector, because a vector of zeros has no direction.
    """

    name = "lexical_hash"
    dimensions = DIMENSIONS

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return await asyncio.to_thread(
            lambda: np.array([vector(text) for text in texts]).reshape(-1, DIMENSIONS)
        )

    async def close(self) -> None:
        """There is nothing to let go of."""


def vector(text: str) -> NDArray[np.float32]:
    """Each feature adds or takes, by its hash, the square root of its count at one place of the vector."""
    total = np.zeros(DIMENSIONS, np.float32)
    for feature, count in Counter(features(text)).items():
        hashed = crc32(feature.encode("utf-8", "surrogatepass"))
        total[hashed % DIMENSIONS] += count**0.5 * (1 if hashed >> 31 else -1)
    if not total.any():
        total[0] = 1
    return total / np.float32(np.linalg.norm(total))


def features(text: str) -> Iterator[str]:
    """Words, pairs of neighbours, and the trigrams of each word with its edges marked."""
    words = WORD.findall(text.lower())
    yield from words
    yield from (" ".join(pair) for pair in pairwise(words))
    for word in words:
        marked = f"^{word}$"
        yield from (marked[n : n + 3] for n in range(len(marked) - 2))
