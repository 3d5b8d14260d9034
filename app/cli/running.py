"""Running a command's coroutine: signals stop it cleanly, known failures become a sentence, not a traceback."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, cast

import asyncpg
import uvloop

from app.http.server import CannotListen
from app.places import NothingRuns
from handlers.refusals import Refusal
from infra.embedded.process import EmbeddedServerError
from infra.embedding import EmbeddingUnavailable
from infra.jetstream import ApiError, LogUnavailable
from infra.telemetry.logs import logger
from projections.batch import Halted
from projections.rebuild import BeingRebuilt

log = logger(__name__)

STOP_WITHIN = 9.0
"""Seconds after a signal by which the process is gone, whatever still hangs."""

GARBAGE = 100_000
"""Objects made before Python looks for cycles among the young ones: events and rows make none, and every look costs."""

KNOWN = (
    CannotListen,
    NothingRuns,
    Refusal,
    EmbeddedServerError,
    EmbeddingUnavailable,
    LogUnavailable,
    ApiError,
    Halted,
    BeingRebuilt,
    LookupError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server that ends in the middle of a word
    ConnectionError,
    TimeoutError,
)
UNUSABLE = (CannotListen, EmbeddedServerError)
"""What starting again would not mend."""


def spare_collections() -> None:
    """Look for garbage less often, and not among what was imported: worth a fifth of a projector's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 10, 100)


def once(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end; the exit status."""
    spare_collections()
    try:
        return uvloop.run(work)
    except BrokenPipeError:  # who reads has had enough, as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KNOWN as failure:
        return _say(failure)
    except KeyboardInterrupt:
        return 130


def until_stopped(work: Coroutine[Any, Any, int | None]) -> int:
    """Run until it ends, or SIGTERM or SIGINT stops it; stopped cleanly is success."""
    spare_collections()
    try:
        return uvloop.run(_stoppable(work)) or 0
    except KNOWN as failure:
        return _say(failure)
    except BaseExceptionGroup as failures:
        if isinstance(first := _first(failures), KNOWN):
            return _say(first)
        raise


async def _stoppable(work: Coroutine[Any, Any, int | None]) -> int | None:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            loop.call_later(STOP_WITHIN, _break_off)
            task.cancel()

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        return 0


def _break_off() -> None:
    """Leave at once, and say what would not end."""
    log.error(
        "broken off",
        cause="it did not stop in time",
        at_work=[_standing(each) for each in asyncio.all_tasks()],
    )
    os._exit(1)


def _standing(task: asyncio.Task[Any]) -> str:
    """A task, and the line on which its innermost coroutine waits."""
    where, waiting = "", cast(object, task.get_coro())
    while frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None):
        where = f" at {frame.f_code.co_qualname}, line {frame.f_lineno}"
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return f"{task.get_name()}{where}"


def _first(failures: BaseException) -> BaseException:
    while isinstance(failures, BaseExceptionGroup):
        failures = failures.exceptions[0]
    return failures


def _say(failure: BaseException) -> int:
    print(getattr(failure, "detail", None) or failure or type(failure).__name__, file=sys.stderr)
    return 2 if isinstance(failure, UNUSABLE) else 1
