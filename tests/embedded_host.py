"""A process that runs the embedded servers of a home, and the processes of those servers."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).parents[1]
HOST = """
import asyncio, sys
from pathlib import Path
from infra.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), sync="relaxed"):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def host(
    home: Path, *, python: str = sys.executable, **options: Any
) -> AsyncIterator[subprocess.Popen[str]]:
    """Another process that runs the servers of this home."""
    process = start([python, "-c", HOST, str(home)], **options)
    try:
        assert process.stdout
        assert process.stderr
        if await asyncio.to_thread(process.stdout.readline) != "ready\n":
            raise AssertionError(process.stderr.read())
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.communicate)


def start(argv: list[str], **options: Any) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=PROJECT, stdout=pipe, stderr=pipe, text=True, **options)


def server_processes(home: Path) -> list[psutil.Process]:
    def belongs(process: psutil.Process) -> bool:
        try:
            line = " ".join(process.cmdline())
            return process.name() in {"nats-server", "postgres"} and str(home) in line
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if belongs(process)]
