"""How much two names are alike: shared trigrams, as PostgreSQL's pg_trgm counts them."""

from functools import lru_cache

from events.jobsite import normalised

REMEMBERED = 1 << 16
"""Names that need not be taken apart again."""
ALIKE = 0.4
"""From here on a name may be meant by another: `hendrix` and `Hendricks` share half of their trigrams."""


@lru_cache(REMEMBERED)
def plain(name: str) -> str:
    """The name without what makes no difference."""
    return normalised(name)


@lru_cache(REMEMBERED)
def trigrams(name: str) -> frozenset[str]:
    """Every three letters in a row of each word, with two spaces before it and one behind it."""
    padded = [f"  {word} " for word in plain(name).split()]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def similarity(one: str, other: str) -> float:
    """The share of the trigrams of both that each of them has: 0 for nothing in common, 1 for the same words."""
    first, second = trigrams(one), trigrams(other)
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if shared else 0.0
