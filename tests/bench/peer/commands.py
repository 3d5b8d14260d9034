"""Commands a second of the `eventsourcing` library: the same lives of tasks, from as many threads."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.peer.settings import CONNECTIONS, environment
from tests.bench.peer.tasks import Tasks
from tests.bench.tasks import MINUTES, TEXT, TITLE


async def rate(dsn: str, callers: int, seconds: float) -> float:
    return await asyncio.to_thread(_rate, dsn, callers, seconds)


def _rate(dsn: str, callers: int, seconds: float) -> float:
    with (
        Tasks(environment(dsn, connections=min(callers, CONNECTIONS))) as app,
        ThreadPoolExecutor(callers) as threads,
    ):
        app.open(TITLE, 3)  # connects
        began = time.monotonic()
        done = sum(threads.map(lambda _: _call(app, began + seconds), range(callers)))
        return done / (time.monotonic() - began)


def _call(app: Tasks, until: float) -> int:
    done = 0
    while True:
        task = app.open(TITLE, 3)
        done += 1
        for minutes in MINUTES:
            if time.monotonic() >= until:
                return done
            app.note(task, TEXT, minutes)
            done += 1
