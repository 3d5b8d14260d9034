"""Writing and reading one object's chunks: several on their way at once, never more than fits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from infra.blobs import BlobCorrupt, BlobsUnavailable
from infra.blobs.jetstream import direct_get, position_of, reaching_jetstream
from infra.blobs.object_bucket import Bucket
from infra.blobs.object_info import ObjectInfo
from infra.blobs.room import Room
from infra.jetstream import Message, publish

ENVELOPE = 1 << 10
"""Bytes that a chunk's subject, reply subject and headers take at most."""
WINDOW = 4
"""Chunks asked for at once when reading."""
ATTEMPTS = 6
"""How often a chunk is asked for that a replica may not have yet: about two seconds."""


class ChunkWriter:
    """Publishes one upload's chunks in order and learns where in the stream each came to lie."""

    def __init__(self, bucket: Bucket, nuid: str, *, room: Room) -> None:
        self.nuid = nuid
        self._bucket = bucket
        self._subject = bucket.chunks(nuid)
        self._room = room
        self._positions: list[int] = []
        self._acks: deque[asyncio.Task[int]] = deque()

    async def write(self, chunk: bytes) -> None:
        """Send a chunk on its way. Raises BlobsUnavailable when this one or one before it was not stored."""
        while self._acks and self._acks[0].done():
            self._note(self._acks.popleft())
        await self._bucket.connected()
        with reaching_jetstream():
            async with asyncio.timeout(self._bucket.timeout):
                await self._room.take(len(chunk) + ENVELOPE)
        # Tasks begin in the order they are made, and a request is written before it first waits: so the
        # chunks leave in order.
        self._acks.append(asyncio.create_task(self._publish(chunk, self._after())))

    async def finish(self) -> list[int]:
        """Wait until every chunk is stored; their positions. Raises BlobsUnavailable."""
        await self.settle()
        while self._acks:
            self._note(self._acks.popleft())
        return self._positions

    async def settle(self) -> None:
        """Wait until no chunk is on its way any more, stored or not."""
        if self._acks:
            await asyncio.wait(self._acks)
        for ack in self._acks:
            if not ack.cancelled():
                ack.exception()  # seen: whoever gives up on the upload does not ask for it

    def _after(self) -> dict[str, str]:
        """The condition for the next chunk: that those before it are still there, if they all have arrived.

        A sweep comes only after a long pause, and after a pause none is on its way.
        """
        if self._acks or not self._positions:
            return {}
        return {"Nats-Expected-Last-Subject-Sequence": str(self._positions[-1])}

    async def _publish(self, chunk: bytes, headers: dict[str, str]) -> int:
        message = Message(self._subject, chunk, headers)
        try:
            with reaching_jetstream():
                return (await publish(self._bucket.nc, message, timeout=self._bucket.timeout)).seq
        finally:
            self._room.give(len(chunk) + ENVELOPE)

    def _note(self, ack: asyncio.Task[int]) -> None:
        position = ack.result()
        if self._positions and position <= self._positions[-1]:
            raise BlobsUnavailable("The chunks of an upload reached JetStream out of order. Send it again.")
        self._positions.append(position)


async def read_chunks(bucket: Bucket, info: ObjectInfo, first: int, last: int) -> AsyncIterator[bytes]:
    """Chunks number `first` up to, not including, `last`. Raises BlobCorrupt when one is not there."""
    subject = bucket.chunks(info.nuid)
    positions = info.positions
    if last > len(positions):
        raise BlobCorrupt(f"The blob {info.name} was not stored by Headwater, or its metadata is damaged.")
    attempt = 0
    while first < last:
        wanted = positions[first : min(first + WINDOW, last)]
        request = {"seq": wanted[0], "batch": len(wanted), "next_by_subj": subject}
        messages = await direct_get(bucket.nc, bucket.stream, request, timeout=bucket.timeout)
        found = [m.data for m, at in zip(messages, wanted, strict=False) if position_of(m) == at]
        for chunk in found:
            yield chunk
        first += len(found)
        attempt = 0 if found else attempt + 1
        if attempt == ATTEMPTS:
            raise BlobCorrupt(f"Chunk {first + 1} of {len(positions)} of the blob {info.name} is gone.")
        if attempt:
            await asyncio.sleep(0.03 * 2**attempt)
