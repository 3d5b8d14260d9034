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
from typing import NoReturn

import msgspec

from infra.child import apart
from infra.documents.parser import STACK, Order, Work, read

NO_PROCESS = 71
"""The exit code of what could not be begun (EX_OSERR in sysexits.h)."""


_decode = msgspec.json.Decoder(Order).decode


class _Forkserver:
    def __init__(self) -> None:
        self._forks: dict[int, int] = {}
        """Process ids by the numbers of their orders."""
        self._end, self._kept = os.pipe()
        """Nothing is ever written: whoever reads of it has outlived this process."""
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # what is not handled does not wake
        self._events = selectors.DefaultSelector()
        for file in (sys.stdin.fileno(), self._woken):
            self._events.register(file, selectors.EVENT_READ)

    def run(self) -> None:
        unread = b""
        while True:
            for key, _ in self._events.select():
                came = os.read(key.fd, 1 << 16)
                if key.fd == self._woken:
                    self._reap()
                    continue
                if not came:
                    return self._end_all()
                *lines, unread = (unread + came).split(b"\n")
                for line in lines:
                    self._follow(_decode(line))

    def _follow(self, order: Order) -> None:
        if order.work:
            self._begin(order.number, order.work)
        elif pid := self._forks.get(order.number):
            os.killpg(pid, signal.SIGKILL)

    def _begin(self, number: int, work: Work) -> None:
        try:
            pid = os.fork()
        except OSError:
            return _tell(number, NO_PROCESS)
        if not pid:
            self._become(work)
        with suppress(OSError):  # both sides see to it: either may be first
            os.setpgid(pid, pid)
        self._forks[number] = pid

    def _become(self, work: Work) -> NoReturn:
        """In the new process: it has nothing to do with its siblings, nor with who gives orders."""
        try:
            os.setpgrp()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._events.close()
            os.close(self._kept)
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

    def _reap(self) -> None:
        for number, pid in list(self._forks.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                _tell(number, self._killed(pid))
                del self._forks[number]

    def _killed(self, pid: int) -> int:
        """End a process, if it has not ended, and what it started, which may have outlived it; the exit code."""
        os.killpg(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _end_all(self) -> None:
        for pid in self._forks.values():
            self._killed(pid)


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
