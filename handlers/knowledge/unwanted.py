"""Work that ends early when nobody wants its result any more."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from handlers.refusals import Unavailable

T = TypeVar("T")

EVERY = 1.0
"""Seconds between two looks."""


async def unless_unwanted(
    work: Coroutine[Any, Any, T], wanted: Callable[[], Awaitable[bool]], *, every: float = EVERY
) -> T | None:
    """What the work results in; None if it was not wanted any more before it ended. The rules would drop it anyway."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait((task,), timeout=every))[0]:
            if not await _sure(wanted):
                return None
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _sure(wanted: Callable[[], Awaitable[bool]]) -> bool:
    """While the log does not answer, go on."""
    try:
        return await wanted()
    except Unavailable:
        return True
