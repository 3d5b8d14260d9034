"""Workers that begin in a moment: a process that has imported everything forks one whenever it is asked to.

Dozens can be killed in the time that a few would take to import what they run.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.cli import main, parts
from tests.deployment import ROOT, Deployment


class Nursery:
    """One worker at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._pid: int | None = None

    async def begin(self) -> None:
        """Another worker, which takes events as soon as it is there."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        self._pid = int(await self._process.stdout.readline())

    def kill(self) -> None:
        """End it as a crash would, at once."""
        pid, self._pid = self._pid, None
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def nursery(deployment: Deployment) -> AsyncIterator[Nursery]:
    """Workers of this deployment, in place of its own while the body runs."""
    await deployment.work.stop()
    with deployment.work.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.nursery", env=deployment.environment, cwd=ROOT,
            stdin=PIPE, stdout=PIPE, stderr=log,
        )  # fmt: skip
    made = Nursery(process)
    try:
        await made.begin()
        yield made
    finally:
        made.kill()
        process.kill()
        await process.wait()
        await deployment.work.start()


def _nurse() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who are killed
    for _ in sys.stdin:
        if not (pid := os.fork()):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os._exit(main(["work"]))
        print(pid, flush=True)


if __name__ == "__main__":
    assert parts.PARTS  # imported, with all that a worker needs
    _nurse()
