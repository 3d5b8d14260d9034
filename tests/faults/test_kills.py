"""kill -9 of every process in turn, with many uploads under way: nothing that was promised is lost or done twice."""

import pytest

from tests.deployment import Deployment
from tests.faults.uploads import kept, uploading


@pytest.mark.parametrize("part", ["serve", "work", "project"])
async def test_a_part_is_killed_again_and_again(victim: Deployment, part: str) -> None:
    async with uploading(victim) as uploads:
        for progress in (3, 8):
            await uploads.until(progress)
            await getattr(victim, part).restart()
    await kept(victim, uploads)


async def test_jetstream_is_killed(victim: Deployment) -> None:
    (nats,) = victim.nats
    async with uploading(victim) as uploads:
        await uploads.until(4)
        for _ in range(2):
            nats.kill()
            await nats.start()
    await kept(victim, uploads)


async def test_postgres_is_killed(victim: Deployment) -> None:
    async with uploading(victim) as uploads:
        for progress in (2, 4, 6, 8, 10):
            await uploads.until(progress)
            victim.postgres.kill()
            await victim.postgres.start()
    await kept(victim, uploads)


async def test_everything_is_killed_at_once(victim: Deployment) -> None:
    (nats,) = victim.nats
    async with uploading(victim) as uploads:
        await uploads.until(5)
        nats.kill()
        victim.postgres.kill()
        for part in victim.parts:
            part.kill()
        await nats.start()
        await victim.postgres.start()
        for part in victim.parts:
            await part.restart()
    await kept(victim, uploads)
