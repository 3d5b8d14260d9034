"""A standing pull request on a consumer: messages flow while it runs, through restarts and leader changes.

nats-py's `fetch` costs a round trip and a subscription a batch; this keeps one inbox and asks for more before the
last is used up. After two missed heartbeats, or a reconnection, what was asked for is taken as lost and asked again.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress

import msgspec
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from events.headers import Headers
from infra.wire import Connection, headers_of

EXPIRES = 30.0
HEARTBEAT = 1.0
TICK = 0.25
FAREWELL = 1.0
"""Seconds that a server may take to send what is on its way."""


class ConsumerGone(Exception):
    """The consumer was deleted or never existed: create it again."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message that a consumer delivers, and what its reply subject tells: `$JS.ACK.<stream>.<consumer>.<the five>`.

    Servers with domains put two more tokens before the stream, and may put one behind.
    """

    subject: str
    reply: str
    """Where to acknowledge it."""
    payload: bytes
    headers: Headers
    attempt: int
    position: int
    number: int
    """Its place among the consumer's deliveries, from 1."""
    time: int
    pending: int
    """Messages behind it that the consumer has not delivered yet."""

    @classmethod
    def of(cls, subject: bytes, reply: bytes, payload: bytes, headers: bytes | None) -> "Delivery":
        tokens = reply.split(b".")
        first = 4 if len(tokens) == 9 else 6
        numbers = map(int, tokens[first : first + 5])
        return cls(subject.decode(), reply.decode(), payload, Headers(headers or b""), *numbers)


class Pull:
    """Up to `window` messages asked for, buffered or held at once.

    A message taken counts as held until `release`; a reader that needs no acknowledgement releases at once. A
    consumer that redelivers gives out again what was on its way when a connection broke; another is gone then.
    """

    def __init__(
        self, nc: Connection, stream: str, consumer: str, *, window: int, redelivers: bool = True
    ) -> None:
        self._nc = nc
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._window = window
        self._redelivers = redelivers
        self._asked = 0
        self._held = 0
        self._buffer: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._heard = time.monotonic()
        self._reconnects = nc.stats["reconnects"]
        self._gone: str | None = None
        self._subscription: Subscription | None = None
        self._inbox = nc.new_inbox()

    async def start(self) -> None:
        self._subscription = await self._nc.subscribe_straight(self._inbox, self._receive)
        await self._ask()

    async def stop(self) -> list[Delivery]:
        """Ask for no more; what had arrived and was not taken.

        A server that redelivers is heard out first: what is on its way would be missed until `ack_wait` is over.
        """
        subscription, self._subscription = self._subscription, None
        if subscription and not self._nc.is_closed:
            if self._redelivers and self._nc.is_connected:
                with suppress(TimeoutError, NatsError):
                    async with asyncio.timeout(FAREWELL):
                        await subscription.drain()  # type: ignore[no-untyped-call]
            else:
                await subscription.unsubscribe()
        left = list(self._buffer)
        self._buffer.clear()
        return left

    async def take(self, most: int, *, wait: float | None = None) -> list[Delivery]:
        """At least one message, at most `most`; none only when `wait` seconds passed. Raises `ConsumerGone`."""
        deadline = None if wait is None else time.monotonic() + wait
        while not self._buffer:
            if self._gone is not None:
                raise ConsumerGone(self._gone)
            if deadline is not None and time.monotonic() >= deadline:
                return []
            await self._revive()
            self._arrived.clear()
            try:
                async with asyncio.timeout(TICK):
                    await self._arrived.wait()
            except TimeoutError:
                continue
        taken = [self._buffer.popleft() for _ in range(min(most, len(self._buffer)))]
        self._held += len(taken)
        return taken

    async def release(self, count: int = 1) -> None:
        """These messages are done with: ask for as many more, once half the window is free."""
        self._held -= count
        await self._ask()

    async def _ask(self) -> None:
        room = self._window - self._held - self._asked - len(self._buffer)
        if room < max(1, self._window // 2) or not self._nc.is_connected:
            return
        self._asked += room
        request = {"batch": room, "expires": int(EXPIRES * 1e9), "idle_heartbeat": int(HEARTBEAT * 1e9)}
        await self._nc.publish(self._subject, msgspec.json.encode(request), reply=self._inbox)

    async def _revive(self) -> None:
        silent = time.monotonic() - self._heard > 2 * HEARTBEAT
        broken = self._reconnects != self._nc.stats["reconnects"]
        if broken and not self._redelivers:
            raise ConsumerGone("what was on its way when the connection broke is lost")
        if self._nc.is_connected and (silent or broken):
            self._reconnects = self._nc.stats["reconnects"]
            self._heard = time.monotonic()
            self._asked = 0
        await self._ask()

    def _receive(self, subject: bytes, reply: bytes, payload: bytes, headers: bytes | None) -> None:
        self._heard = time.monotonic()
        if reply:
            self._asked = max(0, self._asked - 1)
            self._buffer.append(Delivery.of(subject, reply, payload, headers))
            self._arrived.set()
        else:
            self._told(headers_of(headers or b""))

    def _told(self, headers: dict[str, str]) -> None:
        """What becomes of a request: a heartbeat tells that it still stands, anything else that it has ended."""
        status, description = headers.get("Status", ""), headers.get("Description", "")
        if status == "100":
            return
        self._arrived.set()
        self._asked = max(0, self._asked - int(headers.get("Nats-Pending-Messages", self._asked)))
        if "Consumer Deleted" in description or (status in {"404", "503"} and "Messages" not in description):
            self._gone = f"{status} {description}"
