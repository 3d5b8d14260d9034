"""`headwater serve`, `work` and `project`: one part of the whole in this process."""

import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from app.main import run_api, run_compute, run_projector, run_worker
from app.places import places
from app.settings import Settings

STANDS_BACK = 5
"""Niceness of workers: where all parts share a machine, requests are answered and rows written first."""


async def serve(settings: Settings) -> None:
    def ready(url: str) -> None:
        if sys.stderr.isatty():  # a log of JSON has it already
            print(f"Headwater listens on {url}", file=sys.stderr, flush=True)

    await run_api(settings, places(settings), ready)


async def work(settings: Settings) -> None:
    os.nice(STANDS_BACK)
    await run_worker(settings, places(settings))


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
