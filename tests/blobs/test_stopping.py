"""Whoever is told to stop while it asks the store stops, also when the answer comes at that very moment."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from tests.blobs.sites import Site, pieces

WORK: dict[str, Callable[[Site], Coroutine[Any, Any, object]]] = {
    "sweep": lambda site: site.blobs.sweep(timedelta(days=1)),
    "stat": lambda site: site.blobs.stat("0" * 64),
    "put": lambda site: site.blobs.put(pieces(b"something"), media_type="audio/ogg"),
}


@pytest.mark.parametrize("name", WORK)
async def test_a_cancellation_is_never_lost(objects: Site, name: str) -> None:
    await objects.blobs.put(pieces(os.urandom(100)), media_type="audio/ogg")
    for attempt in range(300):
        task = asyncio.create_task(WORK[name](objects))
        for _ in range(attempt):
            await asyncio.sleep(0)
        if task.cancel():
            await asyncio.wait([task])
            assert task.cancelled()
