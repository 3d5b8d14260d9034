"""Letting go of blobs: they are shared by whoever stores the same content, and go with the last that names them.

Why nothing is lost to an upload of the same content at the same moment: a blob that nobody names is first doomed; then
the read models are let come to where the log is, and asked once more. Whoever stores content looks, after the event
that names it is in the log, whether the blob still stands (`handlers/commands.py`), and otherwise is told to send it
again. If it stood, the event was in the log before it was doomed, and so the second question finds the event.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from events.envelope import Event, Recorded
from infra.blobs import Blobs, BlobsUnavailable
from infra.jetstream import LogUnavailable
from infra.read_models import NotReadable, ReadModels
from infra.telemetry.logs import logger

log = logger(__name__)


class Released(NamedTuple):
    """What became of blobs that somebody let go of."""

    erased: frozenset[str]
    kept: frozenset[str]
    """Somebody else names them."""


class _Round:
    """What several ask for at about the same moment, done together."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.after: dict[str, int] = {}
        self.erased: frozenset[str] | None = None

    def join(self, blobs: Iterable[str], after: Recorded[Event] | None) -> None:
        self.asked.update(blobs)
        if after:
            self.after[after.stream] = max(after.position, self.after.get(after.stream, 0))


class Custody:
    """Erases blobs that nobody names any more. One process at a time does; the others wait."""

    def __init__(self, models: ReadModels, blobs: Blobs) -> None:
        self.models = models
        self._blobs = blobs
        self._turn = asyncio.Lock()
        self._next = _Round()
        self._letting_go: set[asyncio.Task[None]] = set()

    async def release(self, blobs: Iterable[str], *, after: Recorded[Event] | None = None) -> Released:
        """Erase those that nobody names, once the read models have passed `after`; may be repeated.

        Raises `NotReadable`, `BlobsUnavailable`, `LogUnavailable`.
        """
        asked, mine = frozenset(blobs), self._next
        mine.join(asked, after)
        async with self._turn:
            if mine.erased is None:
                self._next = _Round()
                mine.erased = await self._carry_out(mine)
        return Released(asked & mine.erased, asked - mine.erased)

    async def _carry_out(self, round: _Round) -> frozenset[str]:
        async with self.models.connected() as connection:
            await self.models.reach(connection, round.after)
            if not round.asked:
                return frozenset()
            await connection.fetchval("select pg_advisory_lock(hashtextextended('erase blobs', 0))")
            unnamed = round.asked - await self.models.naming(connection, round.asked)
            return await self._erased(connection, frozenset(unnamed)) if unnamed else frozenset()

    async def let_go(self, blobs: Iterable[str]) -> None:
        """The same for what may wait: where it cannot be done now, a sweep will find them."""
        try:
            await self.release(blobs)
        except (NotReadable, BlobsUnavailable, LogUnavailable) as away:
            log.warning("blobs are left to the sweep", cause=away)

    def let_go_soon(self, blobs: Iterable[str]) -> None:
        """The same for who does not wait."""
        task = asyncio.create_task(self.let_go(frozenset(blobs)), name="let go of blobs")
        self._letting_go.add(task)
        task.add_done_callback(self._letting_go.discard)

    async def _erased(self, connection: asyncpg.Connection, unnamed: frozenset[str]) -> frozenset[str]:
        await asyncio.gather(*(self._blobs.doom(each) for each in unnamed))
        await self.models.reach_the_end(connection)
        named = unnamed & await self.models.naming(connection, unnamed)
        await asyncio.gather(*(self._blobs.spare(each) for each in named))
        erased = unnamed - named
        await asyncio.gather(*(self._blobs.erase(each) for each in erased))
        return erased
