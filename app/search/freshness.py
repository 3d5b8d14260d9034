"""Whether what was found a while ago would still be found: asked of the log, which knows what has changed since."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from nats.aio.client import Client

from app.search.sources import Source
from infra.jetstream import ApiError, LogUnavailable
from infra.stored import leader_get

Positions = Mapping[str, int]


class Freshness:
    """Knows how far the read models are, and which events change what can be found."""

    def __init__(self, nc: Client, readable: Callable[[str], int | None]) -> None:
        """`readable` tells up to where a stream's read models are."""
        self._nc = nc
        self._readable = readable

    def now(self, sources: Iterable[Source]) -> Positions:
        """Where the read models of these sources are at least."""
        return {source.stream: self._readable(source.stream) or 0 for source in sources}

    async def holds(self, sources: Iterable[Source], since: Positions) -> bool:
        """Whether no event that is readable by now has changed what could be found then."""
        for source in sources:
            then, now = since[source.stream], self._readable(source.stream) or 0
            if then != now and (now < then or await self._changed(source, then, now)):
                return False
        return True

    async def _changed(self, source: Source, then: int, now: int) -> bool:
        wanted = [{"seq": then + 1, "next_by_subj": subject} for subject in source.changed_by]
        try:
            found = await asyncio.gather(*(leader_get(self._nc, source.stream, each) for each in wanted))
        except (LogUnavailable, ApiError):
            return True
        return any(each and each.position <= now for each in found)
