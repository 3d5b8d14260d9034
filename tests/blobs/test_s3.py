"""What only the S3 store does: presigned links, staging keys, multipart uploads, a store that fails."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
import pytest
from moto.server import ThreadedMotoServer

from infra.blobs import BlobCorrupt, BlobsUnavailable, spool
from infra.blobs.s3 import PART, S3Blobs
from tests.blobs import sites
from tests.blobs.sites import Site, pieces

LARGE = 11_000_000
NOW = timedelta(days=-1)
YESTERDAY = timedelta(days=1)


async def test_the_link_downloads_the_blob_under_its_name(s3: Site) -> None:
    content = os.urandom(1000)
    blob = await s3.blobs.put(pieces(content), media_type="audio/ogg")
    link = await s3.blobs.url(blob.key, name='Größe "1".ogg')
    async with aiohttp.ClientSession() as session, session.get(link) as answer:
        assert answer.status == 200
        assert await answer.read() == content
        assert answer.headers["Content-Type"] == "audio/ogg"
        assert (
            answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.ogg"
        )


async def test_the_link_names_its_end_and_is_signed(s3: Site) -> None:
    blob = await s3.blobs.put(pieces(b"x"), media_type="audio/ogg")
    link = await s3.blobs.url(blob.key, name="x.ogg", ttl=90)
    assert "X-Amz-Expires=90&" in link
    assert "X-Amz-Signature=" in link


async def test_the_sweep_takes_what_a_dead_process_left_and_nothing_else(s3: Site) -> None:
    kept = await s3.blobs.put(pieces(os.urandom(10)), media_type="audio/ogg")
    client = raw(s3)
    await client.put_object(Bucket=s3.bucket, Key="staging/completed", Body=b"x")
    assert await s3.blobs.sweep(YESTERDAY) == 0
    await client.create_multipart_upload(Bucket=s3.bucket, Key="staging/dead")  # to moto they are all old
    assert await s3.blobs.sweep(NOW) == 2
    assert await s3.contents() == {kept.key}


async def test_an_upload_that_was_swept_fails_and_leaves_nothing(s3: Site) -> None:
    async def pausing() -> AsyncIterator[bytes]:
        yield os.urandom(PART)
        while not await sent(s3):
            pass  # until the part has arrived
        await s3.blobs.sweep(NOW)

    with pytest.raises(BlobsUnavailable):
        await s3.blobs.put(pausing(), media_type="audio/ogg")
    assert await s3.contents() == set()


async def test_a_disk_that_takes_no_part_is_told_and_leaves_nothing(
    s3: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(BlobsUnavailable, match="Make room"):
        await s3.blobs.put(pieces(os.urandom(LARGE)), media_type="audio/ogg")
    assert await s3.contents() == set()
    assert await s3.blobs.put(pieces(b"little"), media_type="audio/ogg"), "which never touches the disk"


async def test_no_file_is_left_open(s3: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield os.urandom(LARGE)
        raise ConnectionResetError

    opened: list[BinaryIO] = []
    new = spool.new_file
    monkeypatch.setattr(spool, "new_file", lambda: opened.append(new()) or opened[-1])
    for content in (pieces(os.urandom(LARGE)), pieces(os.urandom(PART // 2)), broken()):
        with suppress(ConnectionResetError):
            await s3.blobs.put(content, media_type="audio/ogg")
    assert [each.closed for each in opened] == [True] * 6


async def test_content_that_is_not_its_key_is_found_out(s3: Site) -> None:
    blob = await s3.blobs.put(pieces(b"right"), media_type="audio/ogg")
    await raw(s3).put_object(Bucket=s3.bucket, Key=blob.key, Body=b"wrong")
    with pytest.raises(BlobCorrupt):
        await s3.blobs.get(blob.key)


async def test_a_reader_may_leave_early(s3: Site) -> None:
    blob = await s3.blobs.put(pieces(os.urandom(LARGE)), media_type="audio/ogg")
    for _ in range(70):  # more than there are connections
        async for _piece in s3.blobs.read(blob.key):
            break
    assert await s3.blobs.stat(blob.key) == blob


async def test_a_bucket_is_made_in_its_region(moto: ThreadedMotoServer) -> None:
    async with sites.s3(moto, region="eu-central-1") as site:
        place = await raw(site).get_bucket_location(Bucket=site.bucket)
    assert place["LocationConstraint"] == "eu-central-1"


async def test_what_s3_refuses_is_told_without_secrets(moto: ThreadedMotoServer) -> None:
    async with sites.s3(moto) as site:
        await raw(site).delete_bucket(Bucket=site.bucket)
        for size in (10, LARGE):
            with pytest.raises(BlobsUnavailable, match="NoSuchBucket") as refused:
                await site.blobs.put(pieces(os.urandom(size)), media_type="audio/ogg")
            assert "any" not in str(refused.value)


@pytest.mark.parametrize("listening", [True, False])
async def test_without_s3_everything_says_so_in_time(listening: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not listening:
            silent.close()
        endpoint = f"http://127.0.0.1:{port}"
        blobs = S3Blobs(bucket="b", endpoint=endpoint, access_key="a", secret_key="s", timeout=0.2)
        async with asyncio.timeout(20):
            with pytest.raises(BlobsUnavailable, match="cannot be reached"):
                await blobs.prepare()
            attempts = (
                blobs.put(pieces(os.urandom(LARGE)), media_type="audio/ogg"),
                blobs.put(pieces(b""), media_type="audio/ogg"),
                blobs.get("0" * 64),
                sites.read(blobs, "0" * 64, 5),
                blobs.stat("0" * 64),
                blobs.url("0" * 64, name="x"),
                blobs.delete("0" * 64),
                blobs.sweep(NOW),
            )
            outcomes = await asyncio.gather(*attempts, return_exceptions=True)
            await blobs.close()
    assert [type(outcome) for outcome in outcomes] == [BlobsUnavailable] * len(attempts)


async def sent(site: Site) -> bool:
    """Whether a part has arrived of the one upload under way."""
    listed = await raw(site).list_multipart_uploads(Bucket=site.bucket)
    for upload in listed.get("Uploads", ()):
        parts = await raw(site).list_parts(Bucket=site.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        return "Parts" in parts
    return False


def raw(site: Site) -> Any:
    """The client under a store."""
    assert isinstance(site.blobs, S3Blobs)
    return site.blobs._s3
