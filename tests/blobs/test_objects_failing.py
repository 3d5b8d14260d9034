"""The JetStream store when something dies: the process, the server, the eraser's connection."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from nats.aio.client import Client

from infra.blobs import BlobMissing, BlobsUnavailable, object_bucket
from infra.blobs.objects import ObjectBlobs
from infra.embedded.nats import NatsServer
from infra.jetstream import Ack, LogUnavailable, Message, publish
from tests import servers
from tests.blobs import sites
from tests.blobs.sites import SECRET, Site, connection, pieces

YESTERDAY = timedelta(days=1)
NOW = timedelta()


async def test_a_deletion_that_was_interrupted_hides_the_blob_and_is_ended_later(
    objects: Site, nats: NatsServer
) -> None:
    blob = await objects.blobs.put(pieces(os.urandom(100)), media_type="audio/ogg")
    async with connection(nats.url) as nc:
        dead = await sites.closed(nats.eraser_url)
        with pytest.raises(BlobsUnavailable):
            await ObjectBlobs(nc, dead, secret=SECRET, bucket=objects.bucket).delete(blob.key)
    assert await objects.blobs.stat(blob.key) is None
    with pytest.raises(BlobMissing):
        await objects.blobs.get(blob.key)
    assert await objects.blobs.sweep(YESTERDAY) == 1
    assert await objects.contents() == set()


async def test_content_can_be_stored_again_while_its_deletion_is_interrupted(
    objects: Site, nats: NatsServer
) -> None:
    blob = await objects.blobs.put(pieces(b"wanted"), media_type="audio/ogg")
    async with connection(nats.url) as nc:
        dead = await sites.closed(nats.eraser_url)
        with pytest.raises(BlobsUnavailable):
            await ObjectBlobs(nc, dead, secret=SECRET, bucket=objects.bucket).delete(blob.key)
    await objects.blobs.put(pieces(b"wanted"), media_type="audio/ogg")
    await objects.blobs.sweep(NOW)
    assert await objects.blobs.get(blob.key) == b"wanted"


async def test_the_sweep_takes_what_a_dead_process_left_and_nothing_else(
    objects: Site, nats: NatsServer
) -> None:
    kept = await objects.blobs.put(pieces(os.urandom(1_000_000)), media_type="audio/ogg")
    before = await objects.contents()
    async with connection(nats.url) as nc:
        for _ in range(3):
            await nc.jetstream().publish(f"$O.{objects.bucket}.C.dead", b"a chunk")
    assert await objects.blobs.sweep(YESTERDAY) == 0
    assert await objects.blobs.sweep(NOW) == 1
    assert await objects.contents() == before
    assert len(await objects.blobs.get(kept.key)) == kept.size


async def test_an_upload_whose_chunks_were_swept_fails_and_is_no_blob(objects: Site) -> None:
    content = os.urandom(1_000_000)

    async def pausing() -> AsyncIterator[bytes]:
        yield content
        while not await objects.contents():
            pass  # until the first chunk is stored
        await objects.blobs.sweep(NOW)

    with pytest.raises(BlobsUnavailable):
        await objects.blobs.put(pausing(), media_type="audio/ogg")
    assert await objects.blobs.stat(hashlib.sha256(content).hexdigest()) is None


async def test_without_jetstream_everything_says_so_in_time_and_then_works_again() -> None:
    with servers.temporary_home() as home:
        async with servers.nats_server(home) as server, sites.objects(server, timeout=0.5) as site:
            blob = await site.blobs.put(pieces(b"before"), media_type="audio/ogg")
            server.kill()
            attempts = (
                site.blobs.put(pieces(os.urandom(20_000_000)), media_type="audio/ogg"),
                site.blobs.put(pieces(b""), media_type="audio/ogg"),
                site.blobs.get(blob.key),
                site.blobs.stat(blob.key),
                site.blobs.url(blob.key, name="x"),
                site.blobs.sweep(NOW),
                site.blobs.prepare(),
            )
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*attempts, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [BlobsUnavailable] * len(attempts)
            await server.start()
            async with asyncio.timeout(60):
                while not await answers(site):
                    pass
            assert await site.blobs.get(blob.key) == b"before"


async def test_an_upload_that_jetstream_dies_under_fails_and_is_swept() -> None:
    content = os.urandom(3_000_000)
    with servers.temporary_home() as home:
        async with servers.nats_server(home) as server, sites.objects(server, timeout=0.5) as site:

            async def dying() -> AsyncIterator[bytes]:
                yield content
                while not await site.contents():
                    pass  # until the first chunk is stored
                server.kill()
                yield content

            async with asyncio.timeout(20):
                with pytest.raises(BlobsUnavailable):
                    await site.blobs.put(dying(), media_type="audio/ogg")
            await server.start()
            async with asyncio.timeout(60):
                while not await answers(site):
                    pass
                while await site.contents():  # a chunk on its way may arrive after the first sweep
                    with suppress(BlobsUnavailable):
                        await site.blobs.sweep(NOW)


async def test_metadata_that_was_stored_though_its_answer_was_lost_counts(
    objects: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = False

    async def losing(nc: Client, message: Message) -> Ack:
        nonlocal lost
        if lost:
            return await publish(nc, message)
        lost = True
        # Under another id: as where JetStream looks at what is expected before it looks for repetitions.
        await publish(nc, replace(message, headers={**message.headers, "Nats-Msg-Id": "first"}))
        raise LogUnavailable("the answer was lost")

    blob = await objects.blobs.put(pieces(b"doomed once"), media_type="audio/ogg")
    monkeypatch.setattr(object_bucket, "publish", losing)
    await objects.blobs.doom(blob.key)
    assert lost
    assert not await objects.blobs.stands(blob.key)


async def answers(site: Site) -> bool:
    """Whether the store can be reached."""
    try:
        await site.blobs.stat("0" * 64)
    except BlobsUnavailable:
        return False
    return True
