"""The past of a subscription, read from the log a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from nats.aio.client import Client as Nats

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.log import Log
from infra.stored import leader_get

PAGE = 100


@dataclass(frozen=True)
class Page:
    """Some events in order."""

    events: Sequence[Recorded[Event]]
    end: int
    """The position up to which these are all that there are."""
    behind: int
    """How many messages there were from the page's beginning on."""


class Past:
    """Reads what a stream holds of some subjects."""

    def __init__(self, nc: Nats, log: Log, stream: str) -> None:
        self._nc = nc
        self._log = log
        self._stream = stream

    async def page(self, filters: Sequence[str], *, after: int, until: int) -> Page:
        """The next events behind `after`, none of them behind `until`.

        Raises `LogUnavailable`, and `Undecodable` when the first of them cannot be read.
        """
        events: list[Recorded[Event]] = []
        async with self._log.reader(self._stream, after=after, filters=filters, window=PAGE) as reader:
            await reader.open()
            behind = reader.behind
            try:
                while len(events) < PAGE and await reader.before(until):
                    events += await reader.take(PAGE - len(events), wait=1.0)
            except Undecodable:
                if await self._holds(filters, after=reader.position, until=until):
                    if not events:
                        raise
                    until = reader.position
        told = [each for each in events if each.position <= until]
        return Page(told, told[-1].position if len(told) == PAGE else until, behind)

    async def _holds(self, filters: Sequence[str], *, after: int, until: int) -> bool:
        for each in filters:
            query = {"seq": after + 1, "next_by_subj": each}
            found = await leader_get(self._nc, self._stream, query)
            if found and found.position <= until:
                return True
        return False
