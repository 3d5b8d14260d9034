"""Room that everybody who sends something shares."""

import asyncio


class Room:
    """So many bytes. Who needs some waits until they are free, in turn: what is large is not overtaken for ever."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait for that many bytes; more than there are is all of them."""
        async with self._turn:
            while self._free < min(size, self._size):
                self._freed.clear()
                await self._freed.wait()
            self._free -= min(size, self._size)

    def give(self, size: int) -> None:
        """Free what was taken."""
        self._free += min(size, self._size)
        self._freed.set()
