"""A process of its own that uploads much at once and prints by how many bytes it grew.

Reads from stdin: `objects <url> <eraser url>` or `s3 <endpoint>`, then the number of uploads and their size.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import nats

from infra.blobs import Blobs
from infra.blobs.objects import ObjectBlobs
from infra.blobs.s3 import S3Blobs


async def source(seed: int, size: int) -> AsyncIterator[bytes]:
    """An upload that never lies in memory as a whole; each seed has a content of its own."""
    noise = os.urandom(65_528)
    for n in range(size // 65_536):
        yield seed.to_bytes(4, "big") + n.to_bytes(4, "big") + noise


async def store(kind: str, *where: str) -> Blobs:
    """Either store, as a process of Headwater has it."""
    if kind == "objects":
        nc, eraser = [await nats.connect(url) for url in where]
        return ObjectBlobs(nc, eraser, secret=b"any", bucket="PROBE", timeout=60)
    return S3Blobs(bucket="probe", endpoint=where[0], access_key="any", secret_key="any")


def peak() -> int:
    """The most memory this process has had, in bytes. What getrusage tells includes its parent's."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) * 1024


async def main() -> None:
    """Warm up, measure, upload, measure."""
    *where, uploads, size = sys.stdin.read().split()
    blobs = await store(*where)
    await blobs.prepare()
    await blobs.put(source(0, 1 << 20), media_type="audio/ogg")
    before = peak()
    puts = (blobs.put(source(n, int(size)), media_type="audio/ogg") for n in range(1, int(uploads) + 1))
    await asyncio.gather(*puts)
    print(peak() - before)
    await blobs.close()


asyncio.run(main())
