"""What only the JetStream store does: the format, download paths, erasing, three replicas."""

import asyncio
import hashlib
import logging
import os
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.project import fetching
from infra.blobs import BlobCorrupt, BlobTooLarge
from infra.blobs.signing import verify
from infra.embedded.nats import NatsServer
from tests import servers
from tests.blobs import sites
from tests.blobs.sites import SECRET, Site, connection, pieces, read

NOW = timedelta()


async def test_any_nats_client_reads_what_was_stored(objects: Site, nats: NatsServer) -> None:
    content = os.urandom(1_500_000)
    blob = await objects.blobs.put(pieces(content), media_type="audio/ogg")
    async with connection(nats.url) as nc:
        store = await nc.jetstream().object_store(objects.bucket)
        found = await store.get(blob.key)
        (listed,) = await store.list()
    assert found.data == content
    assert (listed.name, listed.size, listed.chunks, listed.bucket) == (
        blob.key,
        1_500_000,
        3,
        objects.bucket,
    )
    assert listed.headers == {"Content-Type": ["audio/ogg"]}


async def test_the_bucket_is_as_the_specification_has_it(objects: Site, nats: NatsServer) -> None:
    async with connection(nats.url) as nc:
        config = (await nc.jetstream().stream_info(f"OBJ_{objects.bucket}")).config
    assert config.subjects == [f"$O.{objects.bucket}.C.>", f"$O.{objects.bucket}.M.>"]
    assert (config.storage, config.discard, config.compression) == ("file", "new", "none")
    assert config.allow_direct
    assert config.allow_rollup_hdrs


async def test_a_bucket_configured_otherwise_is_used_and_told_of(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(nats.url) as nc:
        await nc.jetstream().add_stream(
            name="OBJ_OTHERWISE", subjects=["$O.OTHERWISE.>"], allow_rollup_hdrs=True
        )
    with caplog.at_level(logging.WARNING):
        async with sites.objects(nats, bucket="OTHERWISE"):
            pass
    assert "blob bucket is configured otherwise" in caplog.messages


async def test_the_link_is_a_signed_path_to_this_blob(objects: Site) -> None:
    blob = await objects.blobs.put(pieces(b"x"), media_type="audio/ogg")
    link = await objects.blobs.url(blob.key, name="ä.ogg", ttl=60)
    path, query = urlsplit(link)[2:4]
    claim = verify(SECRET, key=path.removeprefix("/v1/blobs/"), query=dict(parse_qsl(query)), now=0)
    assert (claim.key, claim.name, claim.media_type) == (blob.key, "ä.ogg", "audio/ogg")


async def test_an_erased_blob_is_gone_from_the_disk() -> None:
    mark = b"words nobody should find again"
    with servers.temporary_home() as home:

        def on_disk() -> int:
            return sum(path.read_bytes().count(mark) for path in home.rglob("*.blk"))

        async with servers.nats_server(home, sync="always") as server, sites.objects(server) as site:
            other = await site.blobs.put(pieces(os.urandom(100_000)), media_type="audio/ogg")
            blob = await site.blobs.put(pieces(mark * 30_000), media_type="audio/ogg")
            assert on_disk() > 29_990  # one lies across two chunks
            await site.blobs.delete(blob.key)
            assert on_disk() == 0
            assert await site.blobs.stat(other.key) == other


async def test_two_processes_may_store_the_same_content_at_once(objects: Site, nats: NatsServer) -> None:
    content = os.urandom(1_000_000)
    async with sites.objects(nats, bucket=objects.bucket) as other:
        puts = (site.blobs.put(pieces(content), media_type="a/b") for site in (objects, other) for _ in "abc")
        (blob,) = set(await asyncio.gather(*puts))
    await objects.blobs.sweep(NOW)
    assert await objects.blobs.get(blob.key) == content
    assert len(await objects.contents()) == 2  # metadata, and one set of chunks


async def test_a_lost_chunk_is_found_out(objects: Site, nats: NatsServer) -> None:
    blob = await objects.blobs.put(pieces(os.urandom(1_500_000)), media_type="audio/ogg")
    async with connection(nats.eraser_url) as eraser:
        await eraser.jetstream().delete_msg(f"OBJ_{objects.bucket}", 2)
    with pytest.raises(BlobCorrupt, match="Chunk 2 of 3"):
        await objects.blobs.get(blob.key)
    assert len(await read(objects.blobs, blob.key, 0, 500_000)) == 500_000


async def test_an_object_that_is_not_its_name_is_found_out(objects: Site, nats: NatsServer) -> None:
    blob = await objects.blobs.put(pieces(b"right"), media_type="audio/ogg")
    async with connection(nats.eraser_url) as eraser:
        js = eraser.jetstream()
        stored = await js.get_msg(f"OBJ_{objects.bucket}", 2)
        wrong = await js.publish((await js.get_msg(f"OBJ_{objects.bucket}", 1)).subject, b"wrong")
        damaged = stored.data.replace(b'"Headwater-Positions":"1"', b'"Headwater-Positions":"%d"' % wrong.seq)
        await js.publish(stored.subject, damaged, headers={"Nats-Rollup": "sub"})
    with pytest.raises(BlobCorrupt, match="damaged"):
        await objects.blobs.get(blob.key)


async def test_damaged_metadata_is_found_out(objects: Site, nats: NatsServer) -> None:
    blob = await objects.blobs.put(pieces(b"x"), media_type="audio/ogg")
    async with connection(nats.url) as nc:
        js = nc.jetstream()
        subject = (await js.get_msg(f"OBJ_{objects.bucket}", 2)).subject
        await js.publish(subject, b"{", headers={"Nats-Rollup": "sub"})
    with pytest.raises(BlobCorrupt, match="damaged"):
        await objects.blobs.stat(blob.key)
    with pytest.raises(BlobCorrupt, match="damaged"):
        await objects.blobs.sweep(NOW)


async def test_an_object_another_client_stored_is_no_blob_of_ours(objects: Site, nats: NatsServer) -> None:
    key = hashlib.sha256(b"foreign").hexdigest()
    async with connection(nats.url) as nc:
        await (await nc.jetstream().object_store(objects.bucket)).put(key, b"foreign")
    with pytest.raises(BlobCorrupt, match="not stored by Headwater"):
        await objects.blobs.get(key)


async def test_the_application_itself_cannot_delete(objects: Site, nats: NatsServer) -> None:
    blob = await objects.blobs.put(pieces(b"x"), media_type="audio/ogg")
    async with connection(nats.url) as nc:
        js = nc.jetstream(timeout=0.3)
        with pytest.raises(TimeoutError):
            await js.purge_stream(f"OBJ_{objects.bucket}")
    assert await objects.blobs.get(blob.key) == b"x"


async def test_three_nodes_read_what_was_just_written(cluster: tuple[NatsServer, ...]) -> None:
    async with (
        sites.objects(cluster[0], replicas=3) as writer,
        sites.objects(cluster[1], replicas=3, bucket=writer.bucket) as reader,
    ):
        for n in range(20):
            content = os.urandom(100_000 * n)
            blob = await writer.blobs.put(pieces(content), media_type="audio/ogg")
            assert await reader.blobs.get(blob.key) == content
            assert await reader.blobs.put(pieces(content), media_type="audio/ogg") == blob
            await reader.blobs.delete(blob.key)
            assert await writer.blobs.stat(blob.key) is None
        assert await writer.contents() == set()


async def test_a_projection_reads_whatever_a_handler_has_stored(objects: Site) -> None:
    """More than one answer of the API may hold: it would halt the read model, and everybody with it."""
    size = (64 << 20) + 1
    blob = await objects.blobs.put(pieces(bytes(size)), media_type="application/octet-stream")
    assert len(await fetching(objects.blobs)(blob.key) or b"") == size
    with pytest.raises(BlobTooLarge):
        await objects.blobs.get(blob.key)
