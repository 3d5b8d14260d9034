"""Whether what was found a while ago would still be found: asked of the log, which knows what has changed since."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
from nats.aio.client import Client

from app.search.sources import Source
from infra.jetstream import ApiError, LogUnavailable
from infra.stored import leader_get

Positions = Mapping[str, int]
"""Of streams."""


class Freshness:
    """Knows which events change what can be found."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def holds(self, sources: Iterable[Source], then: Positions, now: Positions) -> bool:
        """Whether no event between two positions of the read models has changed what can be found."""
        for source in sources:
            before, after = then.get(source.stream), now.get(source.stream)
            if before is None or after is None or after < before:
                return False
            if before < after and await self._changed(source, before, after):
                return False
        return True

    async def _changed(self, source: Source, before: int, after: int) -> bool:
        wanted = [{"seq": before + 1, "next_by_subj": subject} for subject in source.changed_by]
        try:
            found = await asyncio.gather(*(leader_get(self._nc, source.stream, each) for each in wanted))
        except (LogUnavailable, ApiError):
            return True
        return any(each and each.position <= after for each in found)


async def positions(db: asyncpg.Pool, sources: Sequence[Source]) -> Positions:
    """Where the read models of these sources are: asked of the database, which shows no row earlier than it says so."""
    streams = {source.context: source.stream for source in sources}
    rows = await db.fetch(
        "select projection, position from headwater.checkpoints where projection = any($1::text[])",
        list(streams),
    )
    return {streams[row["projection"]]: row["position"] for row in rows}
