"""What of a conversation a model is shown: as much as it can read, the newest first to stay."""

from collections.abc import Sequence

from infra.generation import Turn
from infra.generation.tokens import estimate_turns

SHARE = 0.8
"""Of the window: the rest is for the answer, and for what the estimate missed."""


def fitting(system: Sequence[Turn], turns: Sequence[Turn], window: int | None) -> tuple[Turn, ...]:
    """What the system says, always, then the newest turns; the oldest are dropped where it would be too much.

    The last turn always stays. Without a known window nothing is dropped.
    """
    kept = list(turns)
    if window:
        room = window * SHARE - estimate_turns(system)
        sizes = [estimate_turns([turn]) for turn in kept]
        while len(kept) > 1 and sum(sizes) > room:
            kept.pop(0)
            sizes.pop(0)
    return (*system, *kept)
