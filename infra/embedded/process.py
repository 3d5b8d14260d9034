"""A server as a child process: start it, wait until it answers, stop it, find one a killed parent left."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PARENT = "HEADWATER_PARENT"
"""Set in every server's environment to its parent's pid: an orphan is one whose parent is no longer that."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run. The text says what happened and what to do."""


@dataclass(frozen=True)
class Account:
    """The user a server runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Child:
    """A server process of ours, and where in its log this run begins."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    def last_words(self, lines: int = 6) -> str:
        """The last lines this run wrote to its log."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            text = log.read().decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:]) or "(its log is empty)"


def spawn(
    name: str,
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path,
    account: Account | None = None,
) -> Child:
    """Start a server in its own session, so that Ctrl-C reaches it only through us, once we have drained.

    It gets nothing of our environment. It is not tied to our life either: the kernel's parent-death signal
    follows the starting *thread*. So a server outlives a killed parent, and the next start stops it
    (`stop_orphan`).
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    log_start = os.fstat(descriptor).st_size
    try:
        process = subprocess.Popen(  # noqa: S603 - our own binaries and arguments
            [str(part) for part in argv],
            env={"PATH": os.defpath, PARENT: str(os.getpid()), **environment},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        return Child(name, process, log, log_start)
    except OSError as error:
        raise EmbeddedServerError(f"{name} cannot be started: {error}. Install Headwater again.") from error
    finally:
        os.close(descriptor)


async def until_ready(child: Child, answers: Callable[[], Awaitable[bool]], timeout: float) -> None:
    """Wait until the server answers; on its exit or after `timeout` seconds raise with its last words."""
    end = time.monotonic() + timeout
    while not await answers():
        if (code := child.process.poll()) is not None:
            raise _failed(child, f"stopped while starting (exit {code})")
        if time.monotonic() > end:
            raise _failed(child, f"did not answer within {timeout:.0f} s")
        await asyncio.sleep(0.01)


def _failed(child: Child, what: str) -> EmbeddedServerError:
    return EmbeddedServerError(f"{child.name} {what}. Its log {child.log} ends:\n{child.last_words()}")


async def stop(child: Child, patience: float) -> None:
    """Ask with SIGINT, which both servers take as "now, but cleanly"; insist after `patience` seconds."""
    if child.process.poll() is None:
        child.process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(child.process.wait, patience)
        except subprocess.TimeoutExpired:
            child.process.kill()
            await asyncio.to_thread(child.process.wait)


async def exited(child: Child) -> None:
    """Wait until the process has ended, for whatever reason."""
    # A thread that waits would take one of asyncio's few for as long as the server lives.
    while child.process.poll() is None:  # noqa: ASYNC110 - the end of a child is no asyncio event everywhere
        await asyncio.sleep(0.1)


async def stop_orphan(name: str, is_it: Callable[[psutil.Process], bool], patience: float) -> bool:
    """Stop the server that a killed parent left running on the same data; True when there was one.

    Processes are looked at as they are, so no pid file can be stale or name a stranger.
    Raises EmbeddedServerError when its parent is alive: then it is no orphan.
    """
    found = _find(is_it)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            if str(process.ppid()) == process.environ().get(PARENT):
                raise EmbeddedServerError(
                    f"{name} already runs on this data, for process {process.ppid()}. Stop that first."
                )
            process.send_signal(signal.SIGINT)
    await until_gone(is_it, patience)
    return bool(found)


async def until_gone(is_it: Callable[[psutil.Process], bool], patience: float) -> None:
    """Wait until no such process is left; after `patience` seconds kill what is."""
    end = time.monotonic() + patience
    found = _find(is_it)
    while found := [process for process in found if _is_alive(process)]:
        if time.monotonic() > end:
            for process in found:
                process.kill()
        await asyncio.sleep(0.02)


def _find(is_it: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _matches(process, is_it)]


def _is_alive(process: psutil.Process) -> bool:
    # A zombie holds nothing any more, and where nobody collects orphans it stays for ever.
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _matches(process: psutil.Process, is_it: Callable[[psutil.Process], bool]) -> bool:
    try:
        return is_it(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
