"""Taking a file in: known by its first bytes, stored while it arrives, kept only if the whole form is good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from app.http.endpoints import Call
from app.http.multipart import Form, Upload
from handlers.refusals import TooLarge
from infra.blobs import Blob, Blobs, BlobTooLarge

LARGEST = 200 << 20
"""Bytes of a file."""
HEAD = 4096
"""Bytes by which a file is recognised."""


class Recognise(Protocol):
    """Tells a file's media type by its first bytes, its name and what its sender says. Raises `Refusal`."""

    def __call__(self, head: bytes, name: str, declared: str) -> str: ...


async def unchecked(fields: Any) -> None:
    """Fields need to be nothing but well-formed."""


class Intake:
    """One file on its way into the blob store.

    The store finishes a blob when its content ends. Here it ends once the rest of the form has been read and found
    good; until then a refusal, or a client that goes away, leaves nothing behind.
    """

    def __init__(self, blobs: Blobs, recognise: Recognise) -> None:
        self._blobs = blobs
        self._recognise = recognise
        self._read = asyncio.Event()
        self._accepted = asyncio.Event()
        self._storing: asyncio.Task[Blob] | None = None
        self.file_name = ""
        self.media_type = ""

    async def take(self, upload: Upload) -> "Intake":
        """Stream the file into the store as far as its last byte. Raises what `recognise` raises, and `TooLarge`."""
        self.file_name = upload.name[:255]
        head = bytearray()
        async for piece in upload.chunks:
            head += piece
            if len(head) >= HEAD:
                break
        self.media_type = self._recognise(bytes(head), self.file_name, upload.media_type)
        content = self._content(bytes(head), upload.chunks)
        self._storing = asyncio.create_task(
            self._blobs.put(content, media_type=self.media_type, limit=LARGEST), name="store file"
        )
        reading = asyncio.create_task(self._read.wait())
        try:
            await asyncio.wait({self._storing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
        if self._storing.done():
            await self.keep()
        return self

    async def _content(self, head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield head
        async for piece in rest:
            yield piece
        self._read.set()
        await self._accepted.wait()

    async def keep(self) -> Blob:
        """The form is good: finish the blob."""
        self._accepted.set()
        try:
            assert self._storing is not None  # noqa: S101
            return await self._storing
        except BlobTooLarge as large:
            raise TooLarge("FILE_TOO_LARGE", f"A file may have {LARGEST:,} bytes at most.") from large

    async def drop(self) -> None:
        """The form is not good, or its sender has gone: leave nothing behind."""
        if self._storing and not self._storing.done():
            self._storing.cancel()
            await asyncio.wait({self._storing})


async def receive(
    call: Call[Any, Any],
    blobs: Blobs,
    recognise: Recognise,
    check: Callable[[Any], Awaitable[None]] = unchecked,
) -> tuple[Form[Any, Intake], Blob]:
    """Read an upload's form; its fields, once `check` finds them good, and the file as it is stored."""
    intake = Intake(blobs, recognise)
    try:
        form = await call.form(intake.take)
        await check(form.fields)
        return form, await intake.keep()
    finally:
        await intake.drop()
