"""Uploads that meet each other, and uploads that fail: those leave nothing behind."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from infra.blobs import BlobTooLarge
from tests.blobs.sites import Site, pieces

LARGE = 7_000_000
"""More than one chunk and one part."""


async def test_content_of_exactly_the_limit_is_taken(site: Site) -> None:
    blob = await site.blobs.put(pieces(bytes(1000)), media_type="audio/ogg", limit=1000)
    assert blob.size == 1000


@pytest.mark.parametrize("limit", [0, 999, LARGE])
async def test_content_over_the_limit_is_refused_and_leaves_nothing(site: Site, limit: int) -> None:
    with pytest.raises(BlobTooLarge, match=str(limit)):
        await site.blobs.put(pieces(os.urandom(limit + 1)), media_type="audio/ogg", limit=limit)
    assert await site.contents() == set()


async def test_an_endless_upload_is_cut_off_at_the_limit(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    with pytest.raises(BlobTooLarge):
        await site.blobs.put(endless(), media_type="audio/ogg", limit=LARGE)
    assert await site.contents() == set()


@pytest.mark.parametrize("sent", [0, 1000, LARGE])
async def test_a_source_that_breaks_off_leaves_nothing(site: Site, sent: int) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        async for piece in pieces(os.urandom(sent)):
            yield piece
        raise ConnectionResetError("the client is gone")

    with pytest.raises(ConnectionResetError, match="the client is gone"):
        await site.blobs.put(breaking(), media_type="audio/ogg")
    assert await site.contents() == set()


@pytest.mark.parametrize("sent", [0, 1000, LARGE])
async def test_a_cancelled_upload_ends_at_once_and_leaves_nothing(site: Site, sent: int) -> None:
    stalled = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        async for piece in pieces(os.urandom(sent)):
            yield piece
        stalled.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(site.blobs.put(stalling(), media_type="audio/ogg"))
    await stalled.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(upload, 60)
    assert await site.contents() == set()


async def test_an_upload_cancelled_at_any_moment_leaves_a_whole_blob_or_nothing(site: Site) -> None:
    content = os.urandom(LARGE)
    key = hashlib.sha256(content).hexdigest()
    for moment in range(8):
        upload = asyncio.create_task(site.blobs.put(pieces(content), media_type="audio/ogg"))
        await asyncio.wait((upload,), timeout=0.02 * moment)
        upload.cancel()
        await asyncio.wait((upload,))
        await site.settle()
        if await site.blobs.stat(key):
            assert await site.blobs.get(key) == content
            await site.blobs.delete(key)
        assert await site.contents() == set()


@pytest.mark.parametrize("size", [1000, LARGE])
async def test_the_same_content_at_the_same_time_is_one_blob(site: Site, size: int) -> None:
    content = os.urandom(size)
    puts = (site.blobs.put(pieces(content), media_type="audio/ogg") for _ in range(5))
    (blob,) = set(await asyncio.gather(*puts))
    assert await site.blobs.get(blob.key) == content
    await site.blobs.delete(blob.key)
    assert await site.contents() == set()


async def test_slow_uploads_do_not_hold_up_others(site: Site) -> None:
    async def stalling(n: int) -> AsyncIterator[bytes]:
        yield n.to_bytes(4, "big") * 200_000
        await asyncio.Event().wait()

    slow = [asyncio.create_task(site.blobs.put(stalling(n), media_type="audio/ogg")) for n in range(40)]
    blob = await asyncio.wait_for(site.blobs.put(pieces(os.urandom(LARGE)), media_type="audio/ogg"), 60)
    assert blob.size == LARGE
    for upload in slow:
        upload.cancel()
    await asyncio.wait(slow)
