"""What waits to be sent to one client: a bounded queue between those who tell and the one who writes."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from app.live.limits import Limits
from app.live.messages import Message


class Farewell(NamedTuple):
    """Why a connection ends: a WebSocket close code and a reason."""

    code: int
    reason: str


class Outbox:
    """Never blocks those who put; whoever can wait for a slow client awaits `room` first."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.queue
        self._most_bytes = limits.queue_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def put(self, message: Message) -> bool:
        """Whether it fits."""
        size = len(message.payload)
        if self._messages and (len(self._messages) >= self._most or self._bytes + size > self._most_bytes):
            return False
        self._messages.append(message)
        self._bytes += size
        self._filled.set()
        if not self.has_room:
            self._roomy.clear()
        return True

    @property
    def has_room(self) -> bool:
        """Whether less than half of it is used: what can be left out is left out past that."""
        return len(self._messages) * 2 < self._most and self._bytes * 2 < self._most_bytes

    async def room(self) -> None:
        """Wait until less than half of it is used."""
        await self._roomy.wait()

    async def take(self) -> Message:
        """The next message, as soon as there is one."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        message = self._messages.popleft()
        self._bytes -= len(message.payload)
        if self.has_room:
            self._roomy.set()
        return message
