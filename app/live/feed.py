"""One stream, read once for everybody in this process: held back until readable, then told to those who follow."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from itertools import takewhile

from nats.aio.client import Client as Nats

from app.http.positions import Position
from app.live.limits import Limits
from app.live.past import Page, Past
from app.live.readable import Readable
from app.live.subscription import Subscription, Told, Why
from app.live.topics import Topic, addresses_of
from events.catalogue import Undecodable
from events.envelope import Event, Recorded
from infra.jetstream import ApiError, LogUnavailable
from infra.log import Log
from infra.reader import Reader
from infra.telemetry.logs import logger

log = logger(__name__)

REMEMBERED = 1000
"""Events kept for clients that come back soon."""
WINDOW = 500
READERS = 8
"""Pasts that are read at the same time, in each stream."""
PAUSE = 1.0


class Feed:
    """Tells the events of a stream in order, each once, to those who follow what they concern."""

    def __init__(
        self,
        stream: str,
        *,
        nc: Nats,
        log: Log,
        readable: Readable,
        topics: Sequence[Topic],
        limits: Limits,
    ) -> None:
        self.stream = stream
        self.position = -1
        """Up to where everything has been told; -1 before it is known where to begin."""
        self._log = log
        self._past = Past(nc, log, stream, most=limits.behind)
        self._readable = readable
        self._topics = topics
        self._following: dict[str, set[Subscription]] = defaultdict(set)
        self._recent: deque[Told] = deque()
        self._forgotten = -1
        """Events up to here are not remembered."""
        self._begun = asyncio.Event()
        self._reading = asyncio.Semaphore(READERS)

    async def run(self) -> None:
        """Tell events for ever, beginning behind what is readable now."""
        self.position = self._forgotten = await self._beginning()
        self._begun.set()
        async with self._log.reader(self.stream, after=self.position, window=WINDOW) as reader:
            while True:
                for recorded in await self._next(reader):
                    await self._readable.reach(self.stream, recorded.position)
                    self._tell(recorded)
                    # Writers get their turn: a burst is no reason to call a client slow.
                    await asyncio.sleep(0)

    async def _beginning(self) -> int:
        if self._readable.position(self.stream) is not None:
            return await self._readable.reach(self.stream, 0)
        while True:
            try:
                return await self._log.last_position(self.stream)
            except (LogUnavailable, ApiError) as away:
                log.warning("cannot follow a stream yet", stream=self.stream, cause=away)
                await asyncio.sleep(PAUSE)

    async def _next(self, reader: Reader) -> list[Recorded[Event]]:
        """The next events. What cannot be read holds up the feed, as it does the projections, until it is mended."""
        said = False
        while True:
            try:
                return await reader.take(WINDOW)
            except Undecodable as undecodable:
                if not said:
                    log.error(
                        "live events stop here", stream=self.stream, after=reader.position, cause=undecodable
                    )
                said = True
                await asyncio.sleep(PAUSE)

    def _tell(self, recorded: Recorded[Event]) -> None:
        told = self._told(recorded)
        self._recent.append(told)
        if len(self._recent) > REMEMBERED:
            self._forgotten = self._recent.popleft().recorded.position
        for address in told.addresses:
            for subscription in self._following.get(address, ()):
                subscription.tell(told, address)
        self.position = recorded.position

    def followers(self, address: str) -> Collection[Subscription]:
        """Who follows it now, beginnings not counted."""
        return self._following.get(address, ())

    def leave(self, subscription: Subscription) -> None:
        """It is told nothing more."""
        subscription.live = False
        for address in subscription.addresses:
            if following := self._following.get(address):
                following.discard(subscription)
                if not following:
                    del self._following[address]

    async def join(self, subscription: Subscription) -> None:
        """Tell what was missed, at the client's pace, and from then on what happens."""
        await self._begun.wait()
        since = subscription.since
        if since is None:
            subscription.begin(Position(self.stream, self.position))
        elif why := await self._lost(since):
            here = Position(self.stream, self.position)
            subscription.begin(here)
            subscription.skip(here, why, since=since)
        else:
            subscription.begin(since)
        while not self._tell_remembered(subscription):
            if subscription.after < self._forgotten:
                await self._tell_page(subscription)
            await subscription.outbox.room()

    async def _lost(self, since: Position) -> Why | None:
        """Why nobody can go on from this cursor, if so. One ahead of us may be of a process that is faster."""
        if since.stream != self.stream:
            return Why.OTHER_STREAM
        while since.sequence > self.position:
            try:
                end = await self._log.last_position(self.stream)
                return Why.AHEAD_OF_LOG if since.sequence > end else None
            except (LogUnavailable, ApiError):
                await asyncio.sleep(PAUSE)
        return None

    def _tell_remembered(self, subscription: Subscription) -> bool:
        """Tell what is remembered; then the subscription is live, and nothing happens in between.

        False when something older must be told first, or the client has enough to read for now.
        """
        if subscription.after < self._forgotten:
            return False
        missed = takewhile(lambda told: told.recorded.position > subscription.after, reversed(self._recent))
        for told in reversed(list(missed)):
            if not subscription.outbox.has_room:
                return False
            subscription.tell_past(told)
        subscription.live = True
        for address in subscription.addresses:
            self._following[address].add(subscription)
        return True

    async def _tell_page(self, subscription: Subscription) -> None:
        here = Position(self.stream, self.position)
        try:
            page = await self._page(subscription, here.sequence)
        except Undecodable:
            subscription.skip(here, Why.UNREADABLE)
            return
        if page is None:
            subscription.skip(here, Why.TOO_FAR_BEHIND)
            return
        for recorded in page.events:
            await subscription.outbox.room()
            subscription.tell_past(self._told(recorded))
        subscription.after = page.end

    async def _page(self, subscription: Subscription, until: int) -> Page | None:
        def concerns(recorded: Recorded[Event]) -> bool:
            return subscription.concerned(self._told(recorded)) is not None

        while True:
            try:
                async with self._reading:
                    return await self._past.page(
                        subscription.filters, concerns, after=subscription.after, until=until
                    )
            except (LogUnavailable, ApiError):
                await asyncio.sleep(PAUSE)

    def _told(self, recorded: Recorded[Event]) -> Told:
        return Told(recorded, addresses_of(self._topics, recorded))
