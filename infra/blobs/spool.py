"""Parts of an upload on disk: so that many uploads at once do not hold one each in memory."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from infra.blobs import BlobsUnavailable
from infra.blobs.intake import Intake

PIECE = 256 << 10
"""Bytes of one stream that lie in memory. What is no longer than this is not written to disk."""


async def spooled(intake: Intake, pieces: int) -> AsyncGenerator[BinaryIO, None]:
    """What comes in, in files of `pieces * PIECE` bytes, two pieces at least, the last file shorter.

    They have no names, so nothing is left of a process that is killed. Each stands at its end; who gets it closes it.
    Raises BlobsUnavailable when the disk takes no more, and what the intake raises.
    """
    part: BinaryIO | None = None
    number = 0
    try:
        async for piece in intake.parts(PIECE):
            number += 1
            if part is None:
                part = piece
                continue
            if number == 2:
                first, part = part, new_file()
                await _write(part, first)
            await _write(part, piece)
            if number == pieces:
                full, part, number = part, None, 0
                yield full
                del full  # or it would be held until the next one is full
        if part is not None:
            last, part = part, None
            yield last
    finally:
        if part is not None:
            part.close()


def new_file() -> BinaryIO:
    """An empty file without a name. Raises BlobsUnavailable."""
    with _disk():
        return cast(BinaryIO, tempfile.TemporaryFile())


async def _write(file: BinaryIO, piece: BinaryIO) -> None:
    """In a thread: a disk that is busy holds nobody up."""
    piece.seek(0)
    with _disk():
        await asyncio.to_thread(shutil.copyfileobj, piece, file, PIECE)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BlobsUnavailable(
            f"The temporary folder takes no more of an upload ({error.strerror}). Make room in it, then try again."
        ) from error
