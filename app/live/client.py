"""One client: what it follows, what waits to be sent to it, and why it is sent away."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from app.http.auth import Principal
from app.http.positions import Position
from app.live.feed import Feed
from app.live.limits import Limits
from app.live.outbox import Outbox
from app.live.subscription import Subscription
from app.live.topics import Address
from infra.telemetry.logs import logger

log = logger(__name__)

GOING_AWAY = 1001
SLOW = 4408
BROKEN = 1011
GRACE = 5.0
"""Seconds that a client has to read what was on its way when it was sent away."""
LONGEST_REASON = 123
"""Bytes that fit into a close frame beside its code."""


class Farewell(NamedTuple):
    """Why a client is sent away: a WebSocket close code and a reason."""

    code: int
    reason: str


class Client:
    """Whoever is at the other end of a socket or an event stream."""

    def __init__(self, principal: Principal, limits: Limits, transport: asyncio.WriteTransport) -> None:
        self.principal = principal
        self.outbox = Outbox(limits, lambda: self.end(SLOW))
        self._ended: asyncio.Future[Farewell] = asyncio.get_running_loop().create_future()
        self._transport = transport
        self._follows: dict[str, tuple[Feed, Subscription]] = {}
        self._joining: dict[Subscription, asyncio.Task[None]] = {}
        self.hears_out = False
        """Whether it is sent what waits when the process stops; else it comes back for that with a cursor."""

    def __contains__(self, address: Address) -> bool:
        """Whether it follows this."""
        return str(address) in self._follows

    def __len__(self) -> int:
        """How many topics it follows."""
        return len(self._follows)

    @property
    def farewell(self) -> Farewell | None:
        """Set when the client is to be sent away."""
        return self._ended.result() if self._ended.done() else None

    def end(self, code: int, reason: str | None = None) -> None:
        """Send the client away; without another reason it is told the cursors to come back with."""
        if not self._ended.done():
            self._ended.set_result(Farewell(code, self.cursors() if reason is None else reason))
        self._close()

    def _close(self) -> None:
        if self.hears_out and self.farewell and self.farewell.code == GOING_AWAY:
            self.outbox.finish()
        else:
            self.outbox.close()

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        self._transport.abort()

    async def converse(self, *, write: Coroutine[Any, Any, None], read: Coroutine[Any, Any, None]) -> None:
        """Write and read until either ends or the client is to be sent away.

        `write` ends when the outbox is closed. It is not cancelled: aiohttp takes no more on a connection whose write
        was. `read` may be, and so must not write.
        """
        writing, reading = asyncio.create_task(write), asyncio.create_task(read)
        ends: list[asyncio.Future[Any]] = [writing, reading, self._ended]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._close()
            reading.cancel()
            await asyncio.wait([writing, reading], timeout=GRACE)
            if not writing.done():
                self.abort()
        for outcome in await asyncio.gather(writing, reading, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                raise outcome

    def follow(self, feed: Feed, addresses: Sequence[Address], since: Position | None) -> None:
        """Follow addresses of one stream, in its order, from behind a cursor or from now on."""
        subscription = Subscription(self.outbox, addresses, since)
        for address in subscription.addresses:
            self.leave(address)
            self._follows[address] = (feed, subscription)
        task = asyncio.create_task(feed.join(subscription), name="join")
        self._joining[subscription] = task
        task.add_done_callback(lambda _: self._joined(subscription))

    def _joined(self, subscription: Subscription) -> None:
        task = self._joining.pop(subscription)
        if not task.cancelled() and (failure := task.exception()):
            log.error("a client could not be told the past", failure=failure)
            self.end(BROKEN)

    def leave(self, address: str) -> None:
        """Follow it no longer, if it was followed, nor what was followed together with it."""
        if address not in self._follows:
            return
        feed, subscription = self._follows[address]
        if task := self._joining.get(subscription):
            task.cancel()
        feed.leave(subscription)
        for each in subscription.addresses:
            self._follows.pop(each, None)

    def leave_all(self) -> None:
        """Follow nothing any longer."""
        for address in list(self._follows):
            self.leave(address)

    def cursors(self) -> str:
        """Up to where everything was sent, one cursor a stream: `JOBSITE@12,OPERATIONS@3`."""
        reached: dict[str, int] = {}
        for feed, subscription in self._follows.values():
            at = subscription.reached(feed.position)
            reached[feed.stream] = min(at, reached.get(feed.stream, at))
        for waiting in self.outbox:
            if (position := waiting.position) and position.stream in reached:
                told = position.sequence - (waiting.type == "event")
                reached[position.stream] = min(reached[position.stream], told)
        text = ",".join(f"{stream}@{at}" for stream, at in reached.items() if at >= 0)
        return text if len(text) <= LONGEST_REASON else text[: text[:LONGEST_REASON].rindex(",")]
