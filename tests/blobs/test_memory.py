"""Memory does not grow with what is uploaded."""

import asyncio
import sys

from moto.server import ThreadedMotoServer

from infra.embedded.nats import NatsServer
from tests.blobs.sites import endpoint

MB = 1_000_000


async def growth(*arguments: object) -> int:
    """By how many bytes a process grows that makes these uploads at once."""
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.blobs.memory_probe"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await probe.communicate(" ".join(map(str, arguments)).encode())
    assert probe.returncode == 0
    return int(output)


async def test_twenty_uploads_into_jetstream_hold_little_in_memory(nats: NatsServer) -> None:
    # By hand, 20 of 50 MB, on a server of their own: 16 MB.
    assert await growth("objects", nats.url, nats.eraser_url, 20, 10 * MB) < 45 * MB


async def test_twenty_uploads_to_s3_hold_little_in_memory(moto: ThreadedMotoServer) -> None:
    # By hand, 20 of 50 MB: 28 MB. The parts of 5 MiB wait on disk.
    assert await growth("s3", endpoint(moto), 20, 10 * MB) < 60 * MB
