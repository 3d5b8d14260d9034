"""The blob store: big things by the hash of their content, behind one interface with two implementations."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

import msgspec

KEY = re.compile(r"[0-9a-f]{64}")


OWN = 4 << 30
"""Bytes of what we have made ourselves, which is bounded by what it was made of: no other bound may be lower."""


class Blob(msgspec.Struct, frozen=True, rename="camel"):
    """What is stored under a key."""

    key: str
    """Lower-case hex sha256 of the content."""
    size: int
    """Bytes."""
    media_type: str


class BlobMissing(LookupError):
    """There is no such blob, or no longer."""


class BlobTooLarge(ValueError):
    """The content has more bytes than the caller allowed."""


class BlobCorrupt(ValueError):
    """What is stored is not what its key promises."""


class BlobsUnavailable(ConnectionError):
    """The store cannot be reached or cannot serve now: worth another attempt."""


class Blobs(Protocol):
    """A store of immutable blobs. Every method raises BlobsUnavailable when the store cannot serve."""

    async def prepare(self) -> None:
        """Open the store and make its bucket if there is none. To be called before anything else."""

    async def put(self, chunks: AsyncIterator[bytes], *, media_type: str, limit: int | None = None) -> Blob:
        """Store a stream of any length in bounded memory.

        Content that is there already is not stored twice: its blob, with its first media type, is returned.
        Raises BlobTooLarge past `limit` bytes. When it fails or is cancelled, nothing is left behind.
        """

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in pieces; as a slice of bytes would give them.

        Raises BlobMissing before the first piece, ValueError for a negative bound.
        """

    async def get(self, key: str, limit: int = 64 << 20) -> bytes:
        """The whole content, checked against its key. Raises BlobMissing, BlobTooLarge, BlobCorrupt."""

    async def stat(self, key: str) -> Blob | None:
        """What is stored under the key, or None."""

    async def url(self, key: str, *, name: str, ttl: int | None = None, media_type: str | None = None) -> str:
        """Where anyone may download the blob as a file of that name, for `ttl` seconds. Raises BlobMissing.

        Who knows the blob's `media_type` spares the store the question whether it is there, and needs no store.
        """

    async def delete(self, key: str) -> None:
        """Erase the blob; one that is not there is no error. That nobody needs it is the caller's to know."""

    async def doom(self, key: str) -> None:
        """Say that the blob is about to be erased: it can still be read, and no longer be relied on."""

    async def erase(self, key: str) -> None:
        """Erase a blob that is doomed; one that was stored anew since stays."""

    async def spare(self, key: str) -> None:
        """Take that back."""

    async def stands(self, key: str) -> bool:
        """Whether the blob is there and not about to be erased."""

    def aged(self, older_than: timedelta) -> AsyncIterator[str]:
        """Keys of the blobs that were stored longer ago than that, and of all that are doomed."""

    async def sweep(self, older_than: timedelta) -> int:
        """Remove what uploads have left that died longer ago than that; how many there were.

        An upload that pauses for longer than that may be swept too, and then fails.
        """

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that are all there already, as `put` takes them."""
    yield content
