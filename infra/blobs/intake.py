"""What content goes through on its way in and out: counted, hashed, cut into parts of equal size, checked."""

from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO

from infra.blobs import Blob, BlobCorrupt, BlobTooLarge


class Intake:
    """Reads an incoming stream once. Holds one part at most."""

    def __init__(self, chunks: AsyncIterator[bytes], limit: int | None) -> None:
        self._chunks = chunks
        self._limit = limit
        self._hash = sha256()
        self._size = 0

    async def parts(self, size: int) -> AsyncIterator[BytesIO]:
        """The content in buffers of exactly `size` bytes, the last one shorter. Raises BlobTooLarge."""
        part = BytesIO()
        async for chunk in self._chunks:
            self._count(chunk)
            rest = memoryview(chunk)
            while part.tell() + len(rest) >= size:
                room = size - part.tell()
                part.write(rest[:room])
                rest = rest[room:]
                full, part = part, BytesIO()
                yield full
                del full  # or it would be held until the next one is full
            part.write(rest)
        if part.tell():
            yield part

    def blob(self, media_type: str) -> Blob:
        """What has been read, once all of it has."""
        return Blob(self._hash.hexdigest(), self._size, media_type)

    def _count(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._limit is not None and self._size > self._limit:
            raise BlobTooLarge(f"The content is larger than the {self._limit} bytes allowed here.")
        self._hash.update(chunk)


async def whole(key: str, pieces: AsyncIterator[bytes]) -> bytes:
    """The content that a key promises, put together. Raises BlobCorrupt when it is another."""
    digest = sha256()
    content = []
    async for piece in pieces:
        digest.update(piece)
        content.append(piece)
    if digest.hexdigest() != key:
        raise BlobCorrupt(f"The content of the blob {key} is damaged.")
    return b"".join(content)
