"""Taking a recording in: known by its first bytes, stored while it arrives, kept only if the whole form is good."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from app.http.endpoints import Call
from app.http.multipart import Form, Upload
from handlers.refusals import Invalid, TooLarge, Unsupported
from infra import audio
from infra.blobs import Blob, Blobs, BlobTooLarge

LARGEST = 200 << 20
"""Bytes of a recording."""
HEAD = 4096
"""Bytes by which a recording is recognised."""


class Intake:
    """One file on its way into the blob store.

    The store finishes a blob when its content ends. Here it ends once the rest of the form has been read and found
    good; until then a refusal, or a client that goes away, leaves nothing behind.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._read = asyncio.Event()
        self._accepted = asyncio.Event()
        self._storing: asyncio.Task[Blob] | None = None
        self.file_name = ""

    async def take(self, upload: Upload) -> "Intake":
        """Stream the file into the store as far as its last byte. Raises `Invalid`, `Unsupported`, `TooLarge`."""
        self.file_name = upload.name[:255]
        head = bytearray()
        async for piece in upload.chunks:
            head += piece
            if len(head) >= HEAD:
                break
        if not head:
            raise Invalid("AUDIO_EMPTY", "The file is empty. Send the recording itself.", field="file")
        media_type = audio.media_type(bytes(head))
        if media_type is None:
            raise Unsupported(
                "AUDIO_UNSUPPORTED",
                "This is not a recording that can be read. Send wav, mp3, m4a, ogg/opus, webm or flac.",
                field="file",
            )
        content = self._content(bytes(head), upload.chunks)
        self._storing = asyncio.create_task(
            self._blobs.put(content, media_type=media_type, limit=LARGEST), name="store recording"
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
            raise TooLarge("FILE_TOO_LARGE", f"A recording may have {LARGEST:,} bytes at most.") from large

    async def drop(self) -> None:
        """The form is not good, or its sender has gone: leave nothing behind."""
        if self._storing and not self._storing.done():
            self._storing.cancel()
            await asyncio.wait({self._storing})


async def receive(call: Call[Any, Any], blobs: Blobs) -> tuple[Form[Any, Intake], Blob]:
    """Read an upload's form; its fields, and the recording as it is stored."""
    intake = Intake(blobs)
    try:
        form = await call.form(intake.take)
        return form, await intake.keep()
    finally:
        await intake.drop()
