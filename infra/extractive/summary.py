"""Which sentences stand for a whole text: near its centre, and not like one another.

The centroid of sentence embeddings (Rossiello, Basile, Semeraro: Centroid-based Text Summarization through
Compositionality of Word Embeddings, MultiLing 2017) says what a text is about; Maximal Marginal Relevance (Carbonell,
Goldstein: The Use of MMR, SIGIR 1998) keeps a sentence from being told twice.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RELEVANCE = 0.7
"""λ of MMR: what closeness to the centre counts; the rest counts against likeness to what was chosen before."""
SHORTEST = 4
"""Words that a sentence must have to be worth repeating, where there are longer ones."""
MOST = 5
"""Sentences of a summary."""
SHARE = 0.3
"""Of a text's sentences, so much is a summary at most,"""
LEAST = 2
"""but so many sentences at least: of a note of two, neither is left out."""


def pick(texts: Sequence[str], vectors: NDArray[np.float32], *, most: int = MOST) -> list[int]:
    """The sentences to repeat, in the order of the text. The same texts and vectors give the same choice."""
    able = [n for n, text in enumerate(texts) if len(text.split()) >= SHORTEST] or list(range(len(texts)))
    wanted = min(len(able), most, max(LEAST, round(SHARE * len(texts))))
    centre = _unit(vectors[able].mean(axis=0)) if able else np.zeros(0, np.float32)
    relevance = vectors @ centre if able else np.zeros(0, np.float32)
    chosen: list[int] = []
    while len(chosen) < wanted:
        left = [n for n in able if n not in chosen]
        chosen.append(max(left, key=lambda n: (round(_marginal(n, relevance, vectors, chosen), 5), -n)))
    return sorted(chosen)


def _marginal(
    n: int, relevance: NDArray[np.float32], vectors: NDArray[np.float32], chosen: Sequence[int]
) -> float:
    likeness = max((float(vectors[n] @ vectors[other]) for other in chosen), default=0.0)
    return RELEVANCE * float(relevance[n]) - (1 - RELEVANCE) * likeness


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
