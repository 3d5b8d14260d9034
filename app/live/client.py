"""One client: what it follows, what waits to be sent to it, and why it is sent away."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from app.http.auth import Principal
from app.live.feed import Feed, Subscription
from app.live.limits import Limits
from app.live.messages import Message
from app.live.outbox import Farewell, Outbox
from app.live.topics import Address

SLOW = 4408
LONGEST_REASON = 123
"""Bytes that fit into a close frame beside its code."""


class Client:
    """Whoever is at the other end of a socket or an event stream."""

    def __init__(self, principal: Principal, limits: Limits, *, closed_slow: Callable[[], None]) -> None:
        self.principal = principal
        self.outbox = Outbox(limits)
        self.ended: asyncio.Future[Farewell] = asyncio.get_running_loop().create_future()
        """Resolved when the client is to be sent away."""
        self._closed_slow = closed_slow
        self._follows: dict[str, tuple[Feed, Subscription]] = {}
        self._joining: dict[Subscription, asyncio.Task[None]] = {}

    def __contains__(self, address: Address) -> bool:
        return str(address) in self._follows

    def __len__(self) -> int:
        return len(self._follows)

    def tell(self, message: Message) -> None:
        """Send it, or send the client away when it is too slow to take it."""
        if not self.ended.done() and not self.outbox.put(message):
            self._closed_slow()
            self.end(SLOW)

    def hint(self, message: Message) -> None:
        """Send it unless the client has enough to read already."""
        if self.outbox.has_room:
            self.tell(message)

    def end(self, code: int, reason: str | None = None) -> None:
        """Send the client away; without another reason it is told the cursors to come back with."""
        if not self.ended.done():
            self.ended.set_result(Farewell(code, self.cursors() if reason is None else reason))

    def follow(self, feed: Feed, addresses: Sequence[Address], since: str | None) -> None:
        """Follow addresses of one stream, in its order, from behind a cursor or from now on."""
        subscription = Subscription(self, tuple(addresses), since)
        for address in subscription.addresses:
            self._follows[address] = (feed, subscription)
        task = asyncio.create_task(feed.join(subscription), name="join")
        self._joining[subscription] = task
        task.add_done_callback(lambda _: self._joining.pop(subscription, None))

    def leave(self, address: Address) -> None:
        """Follow it no longer."""
        feed, subscription = self._follows.pop(str(address))
        self._part(feed, subscription)

    def leave_all(self) -> None:
        for feed, subscription in list(self._follows.values()):
            self._part(feed, subscription)
        self._follows.clear()

    def _part(self, feed: Feed, subscription: Subscription) -> None:
        if task := self._joining.pop(subscription, None):
            task.cancel()
        feed.leave(subscription)

    def cursors(self) -> str:
        """Up to where everything was sent, one cursor a stream: `JOBSITE@12,OPERATIONS@3`."""
        reached: dict[str, int] = {}
        for feed, subscription in self._follows.values():
            at = subscription.reached(feed.position)
            reached[feed.stream] = min(at, reached.get(feed.stream, at))
        for position in (each.position for each in self.outbox):
            if position:
                reached[position.stream] = min(reached.get(position.stream, 0), position.sequence - 1)
        text = ",".join(f"{stream}@{at}" for stream, at in reached.items())
        return text if len(text) <= LONGEST_REASON else text[: text[:LONGEST_REASON].rindex(",")]


Told = Any
