"""Runs one of our modules in a Python process of its own, for work that may crash, hang or eat memory."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


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
        """Kill it if it still runs, and wait for its end. The exit code, or minus the signal that ended it."""
        if self.alive:
            self.process.kill()
        return await self.process.wait()


async def start(module: str, *arguments: str) -> Child:
    """Start a module that calls `orders`. It gets none of our settings, and so none of our secrets."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
        env={
            name: value
            for name, value in os.environ.items()
            if name in INHERITED or name.startswith("PYTHON")
        },
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was started without pipes")
    return Child(process, process.stdin, process.stdout)


def orders() -> Iterator[bytes]:
    """In the child: the lines its parent sends. Once the parent closes the pipe or dies, so does this process."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return iter(lines.get, None)
