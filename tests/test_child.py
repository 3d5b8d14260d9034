"""Processes for work that may crash, hang or eat memory: where they stand among the others."""

import asyncio
import os
import signal

from infra import child

MODULE = "infra.speech.sphinx_worker"


async def test_a_child_stands_back_in_the_session_of_its_parent_where_its_niceness_counts() -> None:
    worker = await child.start(MODULE)
    pid, nicer = worker.process.pid, min(os.nice(0) + 5, 19)
    try:
        async with asyncio.timeout(20):
            while (os.getpgid(pid), os.getpriority(os.PRIO_PROCESS, pid)) != (pid, nicer):  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.01)
        assert os.getsid(pid) == os.getsid(0)
    finally:
        await worker.end()


async def test_a_child_can_be_ended_before_it_has_begun() -> None:
    worker = await child.start(MODULE)
    async with asyncio.timeout(20):
        assert await worker.end() == -signal.SIGKILL
