"""The past of a subscription, read from the log a page at a time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from nats.aio.client import Client as Nats

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.log import Log
from infra.stored import leader_get

PAGE = 100
WINDOW = 500

Concerns = Callable[[Recorded[Event]], bool]


@dataclass(frozen=True)
class Page:
    """Some events in order."""

    events: Sequence[Recorded[Event]]
    end: int
    """The position up to which these are all that there are."""
    behind: int
    """How many messages there were to look at from the page's beginning on."""


class Past:
    """Reads what a stream holds under some subjects. Filters are read one by one: together they are far slower."""

    def __init__(self, nc: Nats, log: Log, stream: str, *, most: int) -> None:
        """Nothing is read where there are more than `most` messages to look at."""
        self._nc = nc
        self._log = log
        self._stream = stream
        self._most = most

    async def page(
        self, filters: Collection[str], concerns: Concerns, *, after: int, until: int
    ) -> Page | None:
        """The next events behind `after`, none of them behind `until`; None when there are too many.

        Raises `LogUnavailable`, and `Undecodable` when the first of them cannot be read.
        """
        pages = [await self._page(each, concerns, after=after, until=until) for each in filters]
        behind = sum(each.behind for each in pages)
        if behind > self._most:
            return None
        end = min(each.end for each in pages)
        found = {event.position: event for page in pages for event in page.events if event.position <= end}
        return Page([found[position] for position in sorted(found)], end, behind)

    async def _page(self, filter: str, concerns: Concerns, *, after: int, until: int) -> Page:
        events: list[Recorded[Event]] = []
        async with self._log.reader(self._stream, after=after, filters=[filter], window=WINDOW) as reader:
            await reader.open()
            if (behind := reader.behind) > self._most:
                return Page((), after, behind)
            try:
                while len(events) < PAGE and await reader.before(until):
                    taken = await reader.take(PAGE, wait=1.0)
                    events += [each for each in taken if each.position <= until and concerns(each)]
            except Undecodable:
                if await self._holds(filter, after=reader.position, until=until):
                    if reader.position == after:
                        raise
                    until = reader.position
            return Page(events, until if len(events) < PAGE else min(reader.position, until), behind)

    async def _holds(self, filter: str, *, after: int, until: int) -> bool:
        found = await leader_get(self._nc, self._stream, {"seq": after + 1, "next_by_subj": filter})
        return found is not None and found.position <= until
