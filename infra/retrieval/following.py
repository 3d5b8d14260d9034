"""A question that follows another one: looked for alone, and together with the one before."""

from collections.abc import Sequence

from infra.retrieval.citations import Passage

LONGEST = 2000
"""Characters that are searched for."""


def together(before: str, question: str) -> str:
    """Both as one question; of what is too long, the end."""
    return f"{before.strip()}\n{question.strip()}"[-LONGEST:]


def merged(*found: Sequence[Passage]) -> tuple[Passage, ...]:
    """One of each in turn, as many as the longest has; numbered anew."""
    most = max(map(len, found))
    mixed = [passages[n] for n in range(most) for passages in found if n < len(passages)]
    unlike: dict[tuple[object, int], Passage] = {}
    for each in mixed:
        unlike.setdefault((each.hit.source_id, each.hit.n), each)
    return tuple(
        Passage(n, each.hit, each.title, each.context, each.index)
        for n, each in enumerate(list(unlike.values())[:most], start=1)
    )
