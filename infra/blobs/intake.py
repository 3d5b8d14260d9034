"""What an upload goes through on its way into a store: counted, hashed and cut into parts of equal size."""

from collections.abc import AsyncIterator
from hashlib import sha256

from infra.blobs import Blob, BlobTooLarge


class Intake:
    """Reads an incoming stream once. Holds one part at most."""

    def __init__(self, chunks: AsyncIterator[bytes], limit: int | None) -> None:
        self._chunks = chunks
        self._limit = limit
        self._hash = sha256()
        self._size = 0

    async def parts(self, size: int) -> AsyncIterator[bytes]:
        """The content in parts of exactly `size` bytes, the last one shorter. Raises BlobTooLarge."""
        pieces: list[bytes] = []
        held = 0
        async for chunk in self._chunks:
            self._count(chunk)
            rest = memoryview(chunk)
            while held + len(rest) >= size:
                pieces.append(bytes(rest[: size - held]))
                rest = rest[size - held :]
                held = 0
                yield _joined(pieces)
            if rest:
                pieces.append(bytes(rest))
                held += len(rest)
        if held:
            yield _joined(pieces)

    def blob(self, media_type: str) -> Blob:
        """What has been read, once all of it has."""
        return Blob(self._hash.hexdigest(), self._size, media_type)

    def _count(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._limit is not None and self._size > self._limit:
            raise BlobTooLarge(f"The content is larger than the {self._limit} bytes allowed here.")
        self._hash.update(chunk)


def _joined(pieces: list[bytes]) -> bytes:
    """The pieces as one part. Empties the list, so that nobody holds the bytes a second time."""
    part = b"".join(pieces)
    pieces.clear()
    return part
