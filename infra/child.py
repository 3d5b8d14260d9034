"""Runs one of our modules in a Python process of its own, for work that may crash, hang or eat memory."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
MEMORY_EXIT = 75
"""How a child ends that has no memory left even to say so."""
CRASHES = frozenset(
    {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, -signal.SIGTRAP}
)
"""Exit codes of a process that its own work brought down."""
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TESSDATA_PREFIX")


@dataclass(frozen=True, eq=False)
class Child:
    """A process of ours: its stdin, its stdout, and its end."""

    process: asyncio.subprocess.Process
    orders: asyncio.StreamWriter
    answers: asyncio.StreamReader

    @property
    def alive(self) -> bool:
        """Whether it still runs, as far as is known."""
        return self.process.returncode is None

    async def end(self) -> int:
        """Kill it and what it started, if it still runs, and wait for its end. Its exit code, or minus the signal."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()  # it may not have come as far as `apart`
        return await self.process.wait()


async def start(module: str, *arguments: str) -> Child:
    """Start a module that calls `apart` and ends with its stdin. It gets none of our settings, and so no secrets."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env={
            name: value
            for name, value in os.environ.items()
            if name in INHERITED or name.startswith("PYTHON")
        },
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was started without pipes")
    return Child(process, process.stdin, process.stdout)


def apart() -> None:
    """In the child, first of all: stand back behind those who answer requests, and out of Ctrl-C's way.

    Ctrl-C is for the parent, which ends its children, and theirs, in order: hence a process group. A session would
    be a group as well, but Linux gives every session its share of the processor, however nice its processes are
    (sched(7), "the autogroup feature").
    """
    os.setpgrp()
    os.nice(5)


def orders() -> Iterator[bytes]:
    """In the child: the lines its parent sends. Once the parent closes the pipe or dies, so does this process."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return iter(lines.get, None)


def limit(*, cpu: int, written: int, space: int | None = None, data: int | None = None) -> None:
    """In the child: how much it may take. Seconds of processor time, bytes of one file, of address space, of memory.

    Libraries that reserve much more address space than they use are limited by `data`: memory that is theirs alone.
    """
    if space is not None:
        _set(resource.RLIMIT_AS, space, space)
    if data is not None:
        _set(resource.RLIMIT_DATA, data, data)
    # The soft limit ends us with SIGXCPU, which tells; the hard with SIGKILL.
    _set(resource.RLIMIT_CPU, cpu, cpu + 1)
    _set(resource.RLIMIT_FSIZE, written, written)
    _set(resource.RLIMIT_CORE, 0, 0)


def _set(kind: int, soft: int, hard: int) -> None:
    """Lower a limit; one that is lower already stays."""
    most = resource.getrlimit(kind)[1]
    most = hard if most == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(kind, (min(soft, most), most))
