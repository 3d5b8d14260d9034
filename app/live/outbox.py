"""What waits to be sent to one client: a bounded queue between those who tell and the one who writes."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from app.live.limits import Limits
from app.live.messages import Message


class Outbox:
    """Never blocks those who put; whoever can wait for a slow client awaits `room` first."""

    def __init__(self, limits: Limits, overflows: Callable[[], None]) -> None:
        """`overflows` is called when something does not fit, and should close it."""
        self._most = limits.queue
        self._most_bytes = limits.queue_bytes
        self._overflows = overflows
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._taking: asyncio.Future[None] | None = None
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._closed = False

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def put(self, message: Message) -> None:
        """What must arrive."""
        if self._closed:
            return
        if len(self._messages) >= self._most or self._bytes > self._most_bytes:
            self._overflows()
            return
        self._messages.append(message)
        self._bytes += len(message.payload)
        self._wake()
        if not self.has_room:
            self._roomy.clear()

    def offer(self, message: Message) -> None:
        """What may be left out when the client has enough to read."""
        if self.has_room:
            self.put(message)

    def finish(self) -> None:
        """Take nothing more; what waits is still sent."""
        self._closed = True
        self._wake()

    def close(self) -> None:
        """Take nothing more, and forget what has not been sent."""
        self._closed = True
        self._messages.clear()
        self._wake()

    @property
    def has_room(self) -> bool:
        """Whether less than half of it is used."""
        return len(self._messages) * 2 < self._most and self._bytes * 2 < self._most_bytes

    async def room(self) -> None:
        """Wait until less than half of it is used."""
        await self._roomy.wait()

    async def take(self) -> Message | None:
        """The next message, as soon as there is one; None when it is closed."""
        while not self._messages:
            if self._closed:
                return None
            self._taking = asyncio.get_running_loop().create_future()
            await self._taking
        message = self._messages.popleft()
        self._bytes -= len(message.payload)
        if self.has_room:
            self._roomy.set()
        return message

    def _wake(self) -> None:
        if self._taking and not self._taking.done():
            self._taking.set_result(None)
