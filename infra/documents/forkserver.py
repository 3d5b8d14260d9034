"""Forks a process for each document, from one that knows how to read them: `python -m infra.documents.forkserver`.

To import what reading takes is most of what a small document costs. On stdin comes an order a line; on stdout goes,
once a process has ended, the number of its order and its exit code, or minus the signal that ended it. When stdin ends,
so does everything.
"""

import gc
import os
import selectors
import signal
import sys
import threading
from contextlib import suppress
from typing import NamedTuple, NoReturn

import msgspec

from infra.child import apart
from infra.documents.parser import STACK, Order, Work, read

NO_PROCESS = 71
"""The exit code of what could not be begun (EX_OSERR in sysexits.h)."""


class _Fork(NamedTuple):
    """A process at work."""

    number: int
    pid: int
    watched: int
    """Its pidfd, readable once it has ended."""


_decode = msgspec.json.Decoder(Order).decode


class _Forkserver:
    def __init__(self) -> None:
        self._forks: dict[int, _Fork] = {}
        self._events = selectors.DefaultSelector()
        self._events.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self._end, self._kept = os.pipe()
        """Nothing is ever written: whoever reads of it has outlived this process."""

    def run(self) -> None:
        unread = b""
        while True:
            for key, _ in self._events.select():
                if key.data:
                    self._ended(key.data)
                    continue
                came = os.read(sys.stdin.fileno(), 1 << 16)
                if not came:
                    return self._end_all()
                *lines, unread = (unread + came).split(b"\n")
                for line in lines:
                    self._follow(_decode(line))

    def _follow(self, order: Order) -> None:
        if order.work:
            self._begin(order.number, order.work)
        elif fork := self._forks.get(order.number):
            os.killpg(fork.pid, signal.SIGKILL)

    def _begin(self, number: int, work: Work) -> None:
        try:
            pid = os.fork()
        except OSError:
            return _tell(number, NO_PROCESS)
        if not pid:
            self._become(work)
        with suppress(OSError):  # both sides see to it: either may be first
            os.setpgid(pid, pid)
        fork = _Fork(number, pid, os.pidfd_open(pid))
        self._forks[number] = fork
        self._events.register(fork.watched, selectors.EVENT_READ, fork)

    def _become(self, work: Work) -> NoReturn:
        """In the new process: it has nothing to do with its siblings, nor with who gives orders."""
        try:
            os.setpgrp()
            for each in (self._kept, *(fork.watched for fork in self._forks.values())):
                os.close(each)
            self._events.close()
            nothing = os.open(os.devnull, os.O_RDWR)
            said = os.open(work.said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for stream, file in enumerate((nothing, nothing, said)):
                os.dup2(file, stream)
            threading.Thread(target=self._end_with_it, daemon=True).start()
            read(work)
        finally:
            os._exit(1)

    def _end_with_it(self) -> None:
        os.read(self._end, 1)
        os._exit(1)

    def _ended(self, fork: _Fork) -> None:
        self._events.unregister(fork.watched)
        os.close(fork.watched)
        del self._forks[fork.number]
        with suppress(ProcessLookupError):
            os.killpg(fork.pid, signal.SIGKILL)  # what it started may have outlived it
        _tell(fork.number, os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1]))

    def _end_all(self) -> None:
        for fork in self._forks.values():
            os.killpg(fork.pid, signal.SIGKILL)
            os.waitpid(fork.pid, 0)


def _tell(number: int, exit_code: int) -> None:
    os.write(sys.stdout.fileno(), b"%d %d\n" % (number, exit_code))


def _prepare() -> None:
    """Import what reading takes. Nothing that is imported may start a thread: it would not be there in a fork."""
    os.environ["RUST_MIN_STACK"] = str(STACK)
    from infra.documents import extraction, ocr, reading  # noqa: F401, PLC0415

    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    apart()
    _prepare()
    _Forkserver().run()
