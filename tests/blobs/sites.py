"""Both stores on real servers, each with a way to see everything that lies in it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import nats
from moto.server import ThreadedMotoServer
from nats.aio.client import Client

from infra.blobs import Blobs
from infra.blobs.objects import ObjectBlobs
from infra.blobs.s3 import S3Blobs
from infra.embedded.nats import NatsServer

SECRET = b"only for tests, 32 bytes at least"


@dataclass(frozen=True)
class Site:
    """A store with a bucket of its own."""

    blobs: Blobs
    bucket: str
    contents: Callable[[], Awaitable[set[str]]]
    """Names of everything in the bucket: blobs, and what uploads have left."""
    settle: Callable[[], Awaitable[None]]
    """Wait for what goes on after a caller has left."""


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[Client]:
    """A connection that comes back by itself and does not print why it was gone."""

    async def ignore(_: Exception) -> None: ...

    nc = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=ignore)
    try:
        yield nc
    finally:
        await nc.close()


async def closed(url: str) -> Client:
    """A connection that has ended for good."""
    async with connection(url) as nc:
        return nc


@asynccontextmanager
async def objects(server: NatsServer, **options: Any) -> AsyncIterator[Site]:
    """The store in JetStream."""
    bucket = options.pop("bucket", f"T{uuid4().hex}")
    async with connection(server.url) as nc, connection(server.eraser_url) as eraser:
        blobs = ObjectBlobs(nc, eraser, secret=SECRET, bucket=bucket, **options)

        async def contents() -> set[str]:
            info = await nc.jetstream().stream_info(f"OBJ_{bucket}", subjects_filter=">")
            return set(info.state.subjects or {})

        await blobs.prepare()
        yield Site(blobs, bucket, contents, blobs._unbroken.settle)
        await blobs.close()


@asynccontextmanager
async def s3(server: ThreadedMotoServer, **options: Any) -> AsyncIterator[Site]:
    """The store in S3."""
    bucket = options.pop("bucket", f"t-{uuid4()}")
    blobs = S3Blobs(bucket=bucket, endpoint=endpoint(server), access_key="any", secret_key="any", **options)

    async def contents() -> set[str]:
        objects = await blobs._s3.list_objects_v2(Bucket=bucket)
        uploads = await blobs._s3.list_multipart_uploads(Bucket=bucket)
        return {found["Key"] for found in (*objects.get("Contents", ()), *uploads.get("Uploads", ()))}

    await blobs.prepare()
    yield Site(blobs, bucket, contents, blobs._unbroken.settle)
    await blobs.close()


@contextmanager
def moto_server() -> Iterator[ThreadedMotoServer]:
    """An S3 server on a free port of this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def endpoint(server: ThreadedMotoServer) -> str:
    """Its address."""
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


async def pieces(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """The content as a client would send it."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    """A range in one piece."""
    return b"".join([piece async for piece in blobs.read(key, start, end)])
