"""How texts are to be cut, as requests say it."""

import msgspec

from events.knowledge import Chunking
from handlers.refusals import Invalid
from infra.chunking import BadChunking
from infra.chunking.document import check
from infra.chunking.spans import LONGEST, OVERLAP

DEFAULT = Chunking(strategy="sentences", size=LONGEST, overlap=OVERLAP)


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says; the rest stays as it is."""

    strategy: str | None = None
    size: int | None = None
    overlap: int | None = None

    @property
    def given(self) -> bool:
        return (self.strategy, self.size, self.overlap) != (None, None, None)


def chunking_of(cut: Cut, usual: Chunking = DEFAULT) -> Chunking:
    """What is meant. An overlap that was not chosen shrinks with a size that was. Raises `Invalid`."""
    size, overlap = usual.size, usual.overlap
    if cut.size is not None:
        size, overlap = cut.size, min(usual.overlap, max(cut.size, 0) // 6)
    if cut.overlap is not None:
        overlap = cut.overlap
    made = Chunking(strategy=cut.strategy or usual.strategy, size=size, overlap=overlap)
    try:
        check(made.strategy, made.size, made.overlap)
    except BadChunking as bad:
        raise Invalid("INVALID_CHUNKING", str(bad)) from None
    return made
