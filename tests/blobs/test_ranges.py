"""A range of a blob is what a slice of its bytes is."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.embedded.nats import NatsServer
from tests.blobs import sites
from tests.blobs.sites import Site, pieces, read

CONTENT = os.urandom(100)
BOUND = st.integers(0, len(CONTENT) + 10)


@pytest.fixture(scope="module")
async def seven(nats: NatsServer) -> AsyncIterator[Site]:
    """A store that cuts into chunks of seven bytes."""
    async with sites.objects(nats, chunk_size=7) as site:
        yield site


@pytest.fixture(scope="module", params=["seven", "shared_s3"])
def store(request: pytest.FixtureRequest) -> Site:
    """Either this one, or one that leaves small content in one piece."""
    found: Site = request.getfixturevalue(request.param)
    return found


@given(start=BOUND, end=st.none() | BOUND)
@settings(max_examples=60, deadline=None)
async def test_any_range_is_the_slice(store: Site, start: int, end: int | None) -> None:
    blob = await store.blobs.put(pieces(CONTENT), media_type="audio/ogg")
    assert await read(store.blobs, blob.key, start, end) == CONTENT[start:end]


async def test_a_range_of_nothing_is_nothing(store: Site) -> None:
    blob = await store.blobs.put(pieces(b""), media_type="audio/ogg")
    assert await read(store.blobs, blob.key, 0, 5) == b""
    assert await read(store.blobs, blob.key, 3) == b""


@pytest.mark.parametrize(("start", "end"), [(-1, None), (0, -1)])
async def test_a_negative_bound_is_refused(store: Site, start: int, end: int | None) -> None:
    blob = await store.blobs.put(pieces(CONTENT), media_type="audio/ogg")
    with pytest.raises(ValueError, match="0 or later"):
        await read(store.blobs, blob.key, start, end)


async def test_ranges_hold_when_uploads_were_interleaved(nats: NatsServer) -> None:
    async with sites.objects(nats, chunk_size=10) as site:

        async def slow(letter: bytes) -> AsyncIterator[bytes]:
            for n in range(30):
                yield letter * 9 + bytes([n])

        blobs = await asyncio.gather(*(site.blobs.put(slow(x), media_type="a/b") for x in (b"a", b"b", b"c")))
        for blob, letter in zip(blobs, (b"a", b"b", b"c"), strict=True):
            expected = b"".join(letter * 9 + bytes([n]) for n in range(30))
            assert await read(site.blobs, blob.key, 95, 203) == expected[95:203]
