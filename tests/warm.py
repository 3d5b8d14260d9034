"""Processes that need not import Headwater first, since they are forked from one that has.

Importing is most of what a command does, the more so while coverage is measured. That `python -m app.cli` starts, and
how soon, is for the tests that start that.
"""

import asyncio
import atexit
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

COMMANDS = ("doctor", "ingest", "keys", "letters", "models", "parts", "running", "streams", "upload")
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.warm", *(f"app.cli.{name}" for name in COMMANDS)])


class Headwater:
    """`headwater …` in a process and a session of its own. What it says goes to the end of two files."""

    def __init__(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], out: Path, err: Path
    ) -> None:
        self._out, self._err = out, err
        self._process = FORKS.Process(
            target=_become, args=(arguments, dict(environment), out, err), daemon=True
        )

    async def start(self) -> None:
        await asyncio.to_thread(self._process.start)

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def status(self) -> int | None:
        """None while it runs; minus the signal that ended it."""
        return self._process.exitcode

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        if self._process.pid and self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, by)

    async def ended(self) -> int:
        """Wait for its end."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            while self.status is None:
                await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        assert self.status is not None
        return self.status

    def said(self) -> tuple[str, str]:
        return self._out.read_text(), self._err.read_text()


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """In the new process: be what `python -m app.cli` would be."""
    from app.cli import main

    os.setsid()
    for stream, path in enumerate((Path(os.devnull), out, err)):
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(file, stream)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    try:
        sys.exit(main(list(arguments)))
    finally:
        atexit._run_exitfuncs()  # which forked processes leave out


def _end_with_the_tests() -> None:
    """Whatever ended them: nothing is left at work."""
    tests = multiprocessing.parent_process()
    assert tests
    tests.join()
    os.kill(os.getpid(), signal.SIGKILL)
