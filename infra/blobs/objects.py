"""Blobs in a JetStream object store, in the format every NATS client reads (`nats object ls BLOBS`)."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from weakref import WeakValueDictionary

from nats.aio.client import Client
from nats.nuid import NUID

from infra.blobs import Blob, BlobCorrupt, BlobMissing, BlobsUnavailable, BlobTooLarge
from infra.blobs.chunks import ChunkWriter, read_chunks
from infra.blobs.intake import Intake, whole
from infra.blobs.jetstream import reaching_jetstream
from infra.blobs.noting import note
from infra.blobs.object_bucket import Bucket
from infra.blobs.object_info import ObjectInfo, described
from infra.blobs.object_sweep import aged, sweep
from infra.blobs.room import Room
from infra.blobs.signing import Claim, sign
from infra.blobs.unbroken import Unbroken

CHUNK = 512 << 10
"""Bytes a message: larger ones are stored faster, smaller ones waste less when a range is read."""
ROOM = 1536 << 10
"""Bytes of all uploads together that may wait for their acknowledgement. Less than the 2 MiB that nats-py
buffers: past that it waits for a flush, for ever if the connection breaks, and swallows cancellation."""
log = logging.getLogger(__name__)


class ObjectBlobs:
    """The store in JetStream. `secret` signs download links, which are good for `ttl` seconds.

    `nc` belongs to the application's user, `eraser` to the one that may delete. Let them be connections of
    their own, so that a large blob does not stand in the way of small events.
    """

    def __init__(
        self,
        nc: Client,
        eraser: Client,
        *,
        secret: bytes,
        bucket: str = "BLOBS",
        replicas: int = 1,
        ttl: int = 3600,
        chunk_size: int = CHUNK,
        timeout: float = 10.0,
    ) -> None:
        self._bucket = Bucket(nc, eraser, name=bucket, replicas=replicas, timeout=timeout)
        self._secret = secret
        self._ttl = ttl
        self._chunk_size = chunk_size
        self._room = Room(ROOM)
        self._nuids = NUID()
        self._commits: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._unbroken = Unbroken()

    async def prepare(self) -> None:
        """Make the bucket if there is none."""
        await self._bucket.create()

    async def put(self, chunks: AsyncIterator[bytes], *, media_type: str, limit: int | None = None) -> Blob:
        """Publish the chunks under a name of their own; their metadata, under their hash, makes them a blob."""
        intake = Intake(chunks, limit)
        nuid = self._nuids.next().decode()
        writer = ChunkWriter(self._bucket, nuid, room=self._room)
        try:
            async for part in intake.parts(self._chunk_size):
                await writer.write(part.getvalue())
            positions = await writer.finish()
        except BlobsUnavailable:  # nor will it be tidied up soon: nobody need wait for that
            self._unbroken.begin(self._give_up(writer))
            raise
        except BaseException:
            await self._unbroken.run(self._give_up(writer))
            raise
        blob = intake.blob(media_type)
        info = described(
            blob, bucket=self._bucket.name, nuid=nuid, chunk_size=self._chunk_size, positions=positions
        )
        note(blob.key)
        return await self._unbroken.run(self._commit(info))

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read the chunks the range lies in by direct get, a few at a time."""
        if start < 0 or (end or 0) < 0:
            raise ValueError("A range of a blob begins and ends at 0 or later.")
        info = await self._info(key)
        end = info.size if end is None else min(end, info.size)
        if start >= end:
            return
        size = info.chunk_size
        at = start - start % size
        async for chunk in self._chunks(info, start // size, (end - 1) // size + 1):
            yield chunk[max(start - at, 0) : end - at]
            at += size

    async def get(self, key: str, limit: int = 64 << 20) -> bytes:
        """The whole content, hashed as it comes."""
        info = await self._info(key)
        if info.size > limit:
            raise BlobTooLarge(f"The blob {key} is larger than the {limit} bytes asked for.")
        return await whole(key, self._chunks(info, 0, info.chunks))

    async def stat(self, key: str) -> Blob | None:
        """What the metadata says."""
        found = await self._bucket.latest(key)
        return found[0].blob if found and not found[0].deleted else None

    async def url(self, key: str, *, name: str, ttl: int | None = None, media_type: str | None = None) -> str:
        """A signed path of our own API."""
        kind = media_type or (await self._info(key)).blob.media_type
        return sign(self._secret, Claim(key, name, kind, int(time.time()) + (ttl or self._ttl)))

    async def delete(self, key: str) -> None:
        """Overwrite every chunk, and forget the name."""
        if found := await self._bucket.latest(key):
            await self._unbroken.run(self._bucket.erase(*found))

    async def doom(self, key: str) -> None:
        """Mark it in its metadata."""
        await self._mark(key, doomed=True)

    async def erase(self, key: str) -> None:
        """As `delete`, if the mark is still there: who stores the same content at that moment may have replaced it."""
        if (found := await self._bucket.latest(key)) and found[0].doomed:
            await self._unbroken.run(self._bucket.erase(*found))

    async def spare(self, key: str) -> None:
        """Remove the mark."""
        await self._mark(key, doomed=False)

    async def stands(self, key: str) -> bool:
        """What the metadata says."""
        found = await self._bucket.latest(key)
        return found is not None and not found[0].deleted and not found[0].doomed

    def aged(self, older_than: timedelta) -> AsyncIterator[str]:
        """Read all metadata."""
        return aged(self._bucket, older_than)

    async def sweep(self, older_than: timedelta) -> int:
        """Remove chunks without metadata, and finish deletions that were interrupted."""
        return await sweep(self._bucket, older_than)

    async def close(self) -> None:
        """Wait for what is being tidied up; the connections are their owner's to close."""
        await self._unbroken.settle()

    async def _mark(self, key: str, *, doomed: bool) -> None:
        found = await self._bucket.latest(key)
        if found is None or found[0].deleted or found[0].doomed == doomed:
            return
        info, position = found
        with reaching_jetstream():  # refused if it has changed in between: then this may be asked again
            marked = info.marked(doomed=doomed)
            await self._bucket.describe(marked, newest=position, on=self._bucket.metadata(key))

    async def _info(self, key: str) -> ObjectInfo:
        found = await self._bucket.latest(key)
        if found is None or found[0].deleted:
            raise BlobMissing(f"There is no blob {key}.")
        return found[0]

    async def _chunks(self, info: ObjectInfo, first: int, last: int) -> AsyncIterator[bytes]:
        try:
            async for chunk in read_chunks(self._bucket, info, first, last):
                yield chunk
        except BlobCorrupt:
            await self._info(info.name)  # erased while it was read: BlobMissing
            raise

    async def _commit(self, info: ObjectInfo) -> Blob:
        # One at a time for the same content. Two processes may both get through: then the later one's
        # chunks count, and the sweep takes the others.
        lock = self._commits.setdefault(info.name, asyncio.Lock())
        async with lock:
            if there := await self.stat(info.name):
                await self._discard(info.nuid)
                return there
            # Without its chunks, swept during a long pause, it must not become a blob. And when the answer
            # is lost they stay: the blob may be there.
            newest = info.positions[-1] if info.chunks else 0
            with reaching_jetstream():
                await self._bucket.describe(info, newest=newest, on=self._bucket.chunks(info.nuid))
            return info.blob

    async def _give_up(self, writer: ChunkWriter) -> None:
        await writer.settle()
        await self._discard(writer.nuid)

    async def _discard(self, nuid: str) -> None:
        try:
            await self._bucket.purge(nuid)
        except BlobsUnavailable:
            log.warning("chunks are left to the sweep", extra={"bucket": self._bucket.name, "nuid": nuid})
