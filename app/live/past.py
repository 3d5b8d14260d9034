"""The past of a subscription, read from the log a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.log import Log

PAGE = 100


@dataclass(frozen=True)
class Page:
    """Some events in order."""

    events: Sequence[Recorded[Event]]
    end: int
    """The position up to which these are all that there are."""
    behind: int
    """How many messages there were from the page's beginning on."""


async def read_page(log: Log, stream: str, filters: Sequence[str], *, after: int, until: int) -> Page:
    """The next events behind `after`, none of them behind `until`. Raises `LogUnavailable` and `Undecodable`."""
    events: list[Recorded[Event]] = []
    async with log.reader(stream, after=after, filters=filters, window=PAGE) as reader:
        await reader.open()
        behind = reader.behind
        while len(events) < PAGE and await reader.before(until):
            try:
                events += await reader.take(PAGE - len(events))
            except Undecodable:
                if not events:
                    raise
                return Page(events, events[-1].position, behind)
    told = [each for each in events if each.position <= until]
    return Page(told, told[-1].position if len(events) == len(told) == PAGE else until, behind)
