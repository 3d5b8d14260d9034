"""Made-up passages as a document base holds them: words as unevenly spread as in any language, vectors in clusters.

Sentences about a building site are embedded for real; the vector of a passage lies near one of them, drawn towards
another. Around its sentence a passage has words of which few are frequent and most are rare (Zipf), so that a question
meets words that a sixth of all passages have, and words that hardly any has.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

WORDS = {
    "who": "the painter|the plumber|our foreman|the inspector|the architect|a roofer|the crane driver|the client",
    "did": "sealed|moved|measured|replaced|ordered|repaired|painted|insulated|rejected|drained|cleaned|mounted",
    "how": "warped|heavy|spare|cracked|galvanised|wooden|second|leaking|narrow|temporary|broken|new",
    "what": "window|door|boiler|pipe|beam|gutter|panel|handrail|radiator|cable|socket|tile|scaffold|chimney|valve|"
    "truss|staircase|footing|manhole|membrane|lintel|hinge|switch|duct",
    "where": "kitchen|cellar|attic|corridor|garage|bathroom|lobby|courtyard|workshop|north wing|elevator shaft|roof",
    "when": "before the rain|on Monday|after the audit|last winter|during the strike|at noon|twice|without a permit",
}
PARTS = {name: words.split("|") for name, words in WORDS.items()}
TOLD = "{who} {did} the {how} {what} in the {where} {when}"
ASKED = (
    "Who {did} the {how} {what} in the {where}?",
    "When was the {how} {what} {did} in the {where}?",
    "What was done to the {what} of the {where} {when}?",
    "{what} {where} {when}",
    "Was it {who} who {did} a {what} {when}?",
)
FREQUENT = (
    "the of and to in a is that for it was on are as with his they at be this from have or by one had not"
)
LITTLE = FREQUENT.split()
VOCABULARY = 30_000
FIRST, LAST = 40, 3_000
"""Ranks among which words that questions have are spread: from a fifth of all passages to a few in a thousand."""
LENGTH = (60, 160)
"""Words of a passage."""
OWN, OTHER, NOISE = 0.8, 0.35, 0.35
"""Of what the vector of a passage is made: the vector of its sentence, that of another, and nothing in particular."""


class Passages(NamedTuple):
    """So many at once."""

    texts: list[str]
    vectors: Vectors


class Writer:
    """Writes passages around sentences; the same every time."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._vocabulary = np.array(_vocabulary(self._random), dtype=object)
        weights = 1 / np.arange(1, len(self._vocabulary) + 1)
        self._shares = np.cumsum(weights / weights.sum())

    def sentences(self, count: int) -> list[str]:
        """Different sentences about the site."""
        return self._different([TOLD], count)

    def questions(self, count: int) -> list[str]:
        """Different questions, never asked by this writer before if few enough are asked for."""
        return self._different(ASKED, count)

    def passages(
        self, sentences: Sequence[str], vectors: Vectors, count: int, *, several: int
    ) -> Iterator[Passages]:
        """So many passages around sentences with these vectors, some at once."""
        for first in range(0, count, several):
            size = min(several, count - first)
            own, other = self._random.integers(len(sentences), size=(2, size))
            noise = _units(self._random.normal(size=(size, vectors.shape[1])))
            made = _units(OWN * vectors[own] + OTHER * vectors[other] + NOISE * noise)
            yield Passages([self._around(sentences[n]) for n in own], made)

    def _around(self, sentence: str) -> str:
        drawn = np.searchsorted(self._shares, self._random.random(self._random.integers(*LENGTH)))
        words = self._vocabulary[drawn].tolist()
        half = len(words) // 2
        return f"{' '.join(words[:half])}. {sentence}. {' '.join(words[half:])}."

    def _different(self, forms: Sequence[str], count: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < count:
            form = forms[int(self._random.integers(len(forms)))]
            drawn = {name: each[int(self._random.integers(len(each)))] for name, each in PARTS.items()}
            found[form.format(**drawn)] = None
        return list(found)


def _vocabulary(random: np.random.Generator) -> list[str]:
    """The most frequent word first: little words, then made-up ones, and among them those of questions."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "al", "en", "or", "ut")]
    made = list(dict.fromkeys("".join(random.choice(syllables, size=3)) for _ in range(2 * VOCABULARY)))
    words = [*LITTLE, *made[: VOCABULARY - len(LITTLE)]]
    known = sorted({word for part in PARTS.values() for each in part for word in each.split()} - set(LITTLE))
    random.shuffle(known)
    for place, word in zip(np.geomspace(FIRST, LAST, len(known)), known, strict=True):
        words.insert(int(place), word)
    return words


def _units(vectors: NDArray[np.floating]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
