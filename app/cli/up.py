"""`headwater up`: the embedded servers, then API, handlers and projections as processes of their own, kept running."""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import msgspec

from app.cli.models import migrated
from app.http.server import CannotListen, advice
from app.main import standing
from app.places import Places, places
from app.settings import Settings
from infra.embedded import embedded
from infra.embedded.ports import free_ports
from infra.telemetry.logs import logger

log = logger(__name__)

PARTS = ("project", "work", "serve")
UNUSABLE = 2
"""The exit status of a part that starting again would not mend."""
LONGEST = 10.0
"""Seconds between two starts of a part that keeps ending, at most."""
STOP_WITHIN = 7.0
"""Seconds in which parts stop by themselves; the servers and we need the rest of ten."""


LONG_LOG = 64 << 20
"""Bytes of a part's log, in the demo's home, past which it is put aside."""


class PartFailed(CannotListen):
    """A part cannot run as it is set up; it has said why."""


async def up(settings: Settings, *, demo: bool) -> int:
    """Run everything until stopped. With `demo`, show what it does, and keep the parts' logs in files."""
    check_port(settings)
    if settings.port == 0:  # the parts and the demo must mean the same
        settings = msgspec.structs.replace(settings, port=free_ports(1)[0])
        os.environ["PORT"] = str(settings.port)
    began = time.monotonic()
    async with _servers(settings) as where:
        async with standing(settings, where, "up") as kernel:
            await migrated(settings, where, kernel, say=_say if demo else lambda _: None)
        logs = settings.home / "logs" if demo else None
        async with asyncio.TaskGroup() as group:
            for part in PARTS:
                group.create_task(_keep(part, logs), name=f"keep {part}")
            if logs:
                group.create_task(_keep_short(logs), name="keep logs short")
            if demo:
                from app.cli.demo import show

                group.create_task(show(settings, began), name="demo")
    return 0


@asynccontextmanager
async def _servers(settings: Settings) -> AsyncIterator[Places]:
    """The servers that are set, and embedded ones in place of those that are not."""
    if settings.nats_url and settings.database_url:
        yield places(settings)
        return
    async with embedded(
        settings.home,
        sync=settings.sync,
        nats=settings.nats_url is None,
        postgres=settings.database_url is None,
    ) as servers:
        yield places(settings, servers)


def check_port(settings: Settings) -> None:
    """Say at once, before anything is started, that the port is taken. Raises `CannotListen`."""
    if settings.port == 0:
        return
    try:
        with socket.create_server((settings.host, settings.port)):
            pass
    except OSError as error:
        raise CannotListen(advice(error, settings.host, settings.port)) from error


async def _keep(part: str, logs: Path | None) -> None:
    """Run a part, again whenever it ends, until cancelled; then stop it. Raises `PartFailed`."""
    pause = 0.5
    while True:
        began = time.monotonic()
        with _log_file(part, logs) as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app.cli", part, stdin=asyncio.subprocess.DEVNULL, stderr=stream,
                start_new_session=True, preexec_fn=_end_with_parent(),
            )  # fmt: skip
            try:
                status = await process.wait()
            finally:
                await _stop(process)
        if status == UNUSABLE:
            raise PartFailed(f"headwater {part} cannot run as it is set up{_where(part, logs)}")
        log.error("part ended by itself", part=part, status=status)
        pause = 0.5 if time.monotonic() - began > 60 else min(pause * 2, LONGEST)
        await asyncio.sleep(pause)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _end_with_parent() -> Callable[[], None]:
    """For Linux: a part gets SIGTERM when `up` is killed, so that it leaves nothing running behind."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if libc:
            libc.prctl(1, signal.SIGTERM)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)

    return prepare


async def _keep_short(logs: Path) -> None:
    while True:
        await asyncio.to_thread(put_aside, logs)
        await asyncio.sleep(60)


def put_aside(logs: Path, longest: int = LONG_LOG) -> None:
    """Move what long logs hold in place of what was put aside before; the parts go on writing to emptied files."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > longest:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def _log_file(part: str, logs: Path | None) -> IO[bytes]:
    if logs is None:
        return os.fdopen(os.dup(2), "wb")
    logs.mkdir(parents=True, exist_ok=True)
    return (logs / f"{part}.log").open("ab")


def _where(part: str, logs: Path | None) -> str:
    if logs is None:
        return "."
    lines = (logs / f"{part}.log").read_text(errors="replace").strip().splitlines()
    return f": {lines[-1] if lines else 'it has said nothing'}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
