"""What both stores promise about blobs that were stored."""

import hashlib
import os
from datetime import timedelta

import pytest

from infra.blobs import BlobMissing, BlobTooLarge
from tests.blobs.sites import Site, pieces, read

CHUNK = 512 << 10
PART = 5 << 20
NOBODY = "0" * 64


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, PART - 1, PART, PART + 1, 20_000_000])
async def test_what_was_stored_comes_back(site: Site, size: int) -> None:
    content = os.urandom(size)
    blob = await site.blobs.put(pieces(content, 700_001), media_type="audio/ogg")
    assert (blob.key, blob.size) == (hashlib.sha256(content).hexdigest(), size)
    assert await site.blobs.stat(blob.key) == blob
    assert await site.blobs.get(blob.key) == content
    assert await read(site.blobs, blob.key) == content


async def test_the_pieces_it_arrives_in_do_not_matter(site: Site) -> None:
    async def source():
        yield b""
        yield b"a" * 600_000
        yield b""
        yield b"b"

    blob = await site.blobs.put(source(), media_type="text/plain")
    assert await site.blobs.get(blob.key) == b"a" * 600_000 + b"b"


@pytest.mark.parametrize("size", [10, 6_000_000])
async def test_the_same_content_twice_is_stored_once(site: Site, size: int) -> None:
    content = os.urandom(size)
    first = await site.blobs.put(pieces(content), media_type="audio/ogg")
    before = await site.contents()
    assert await site.blobs.put(pieces(content), media_type="audio/wav") == first
    assert await site.contents() == before


async def test_different_contents_do_not_meet(site: Site) -> None:
    one = await site.blobs.put(pieces(b"one"), media_type="text/plain")
    two = await site.blobs.put(pieces(b"two"), media_type="text/plain")
    assert await site.blobs.get(one.key) == b"one"
    assert await site.blobs.get(two.key) == b"two"


async def test_a_deleted_blob_is_missing_and_leaves_nothing(site: Site) -> None:
    blob = await site.blobs.put(pieces(os.urandom(6_000_000)), media_type="audio/ogg")
    await site.blobs.delete(blob.key)
    assert await site.blobs.stat(blob.key) is None
    with pytest.raises(BlobMissing):
        await site.blobs.get(blob.key)
    with pytest.raises(BlobMissing):
        await site.blobs.url(blob.key, name="x")
    assert await site.contents() == set()


async def test_deleting_twice_is_no_error(site: Site) -> None:
    blob = await site.blobs.put(pieces(b"x"), media_type="audio/ogg")
    await site.blobs.delete(blob.key)
    await site.blobs.delete(blob.key)


async def test_a_deleted_blob_can_be_stored_again(site: Site) -> None:
    for _ in range(2):
        blob = await site.blobs.put(pieces(b"again"), media_type="audio/ogg")
        assert await site.blobs.get(blob.key) == b"again"
        await site.blobs.delete(blob.key)


@pytest.mark.parametrize("key", [NOBODY, "", "x", "staging/x", "../x", "é" * 64, "A" * 64])
async def test_what_is_not_there_is_missing_under_any_name(site: Site, key: str) -> None:
    assert await site.blobs.stat(key) is None
    with pytest.raises(BlobMissing):
        await read(site.blobs, key)
    with pytest.raises(BlobMissing):
        await read(site.blobs, key, 3, 3)
    with pytest.raises(BlobMissing):
        await site.blobs.get(key)
    await site.blobs.delete(key)


async def test_getting_more_than_the_limit_is_refused(site: Site) -> None:
    blob = await site.blobs.put(pieces(b"12345"), media_type="text/plain")
    assert await site.blobs.get(blob.key, limit=5) == b"12345"
    with pytest.raises(BlobTooLarge):
        await site.blobs.get(blob.key, limit=4)


async def test_preparing_a_bucket_that_is_there_keeps_what_is_in_it(site: Site) -> None:
    blob = await site.blobs.put(pieces(b"kept"), media_type="text/plain")
    await site.blobs.prepare()
    assert await site.blobs.get(blob.key) == b"kept"


async def test_a_doomed_blob_can_be_read_but_not_relied_on(site: Site) -> None:
    blob = await site.blobs.put(pieces(b"doomed"), media_type="text/plain")
    assert await site.blobs.stands(blob.key)
    for _ in range(2):
        await site.blobs.doom(blob.key)
        assert not await site.blobs.stands(blob.key)
    assert await site.blobs.put(pieces(b"doomed"), media_type="text/plain") == blob
    assert not await site.blobs.stands(blob.key)
    assert await site.blobs.get(blob.key) == b"doomed"
    for _ in range(2):
        await site.blobs.spare(blob.key)
        assert await site.blobs.stands(blob.key)
    await site.blobs.doom(blob.key)
    for _ in range(2):
        await site.blobs.erase(blob.key)
        assert await site.blobs.stat(blob.key) is None
        assert not await site.blobs.stands(blob.key)
    assert await site.contents() == set()
    await site.blobs.put(pieces(b"doomed"), media_type="text/plain")
    assert await site.blobs.stands(blob.key)


async def test_blobs_of_some_age_are_listed_and_doomed_ones_of_any(site: Site) -> None:
    young, doomed = [await site.blobs.put(pieces(each), media_type="text/plain") for each in (b"y", b"d")]
    await site.blobs.doom(doomed.key)
    assert {key async for key in site.blobs.aged(timedelta(hours=1))} == {doomed.key}
    assert {key async for key in site.blobs.aged(timedelta(seconds=-5))} == {young.key, doomed.key}
