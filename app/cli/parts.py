"""`headwater serve`, `work` and `project`: one part of the whole in this process."""

import contextlib
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from app.main import run_api, run_compute, run_projector, run_worker
from app.places import places
from app.settings import Settings


async def serve(settings: Settings) -> None:
    def ready(url: str) -> None:
        if sys.stderr.isatty():  # a log of JSON has it already
            print(f"Headwater listens on {url}", file=sys.stderr, flush=True)

    await run_api(settings, places(settings), ready)


async def work(settings: Settings) -> None:
    _stand_back()
    await run_worker(settings, places(settings))


def _stand_back() -> None:
    """Where all parts share a machine, requests are answered and rows written before what follows from them.

    Linux may share the processor among sessions first and heed niceness only within one (sched(7), "the autogroup
    feature"). `headwater up` gives each part a session of its own, which is hence made nicer as a whole.
    """
    niceness = os.nice(5)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # not every system has it
            Path("/proc/self/autogroup").write_text(str(niceness))


async def project(settings: Settings) -> None:
    await run_projector(settings, places(settings))


async def compute(settings: Settings) -> None:
    def ready(url: str) -> None:
        print(f"Headwater computes on {url}", file=sys.stderr, flush=True)

    await run_compute(settings, ready)


PARTS: dict[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {
    "serve": serve,
    "work": work,
    "project": project,
    "compute": compute,
}
