"""A file on its way into the blob store, held before its end until it is known whether it is wanted."""

import asyncio
from collections.abc import AsyncIterator

from infra.blobs import Blob, Blobs


class Held:
    """The store finishes a blob when its content ends. Here it ends once `keep` is called.

    Until then a refusal, or a client that goes away, leaves nothing behind.
    """

    def __init__(self, blobs: Blobs, *, media_type: str) -> None:
        self._blobs = blobs
        self._media_type = media_type
        self._read = asyncio.Event()
        self._wanted = asyncio.Event()
        self._storing: asyncio.Task[Blob] | None = None

    async def take(self, chunks: AsyncIterator[bytes]) -> None:
        """Stream into the store as far as the last byte. Raises what reading or storing raises."""
        self._storing = asyncio.create_task(
            self._blobs.put(self._content(chunks), media_type=self._media_type), name="store file"
        )
        reading = asyncio.create_task(self._read.wait())
        try:
            await asyncio.wait({self._storing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
        if self._storing.done():
            await self._storing

    async def _content(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in chunks:
            yield piece
        self._read.set()
        await self._wanted.wait()

    async def keep(self) -> Blob:
        """It is wanted: finish the blob."""
        self._wanted.set()
        assert self._storing is not None  # noqa: S101
        return await self._storing

    async def drop(self) -> None:
        """Leave nothing behind, unless it was kept."""
        if self._storing and not self._storing.done():
            self._storing.cancel()
            await asyncio.wait({self._storing})
