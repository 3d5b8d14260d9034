"""One batch of events into rows: blobs ahead, fold, write, move the checkpoint, all or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from events.envelope import Event, Recorded
from projections import checkpoints
from projections.fold import fold
from projections.projection import Projection
from projections.writer import write

Fetch = Callable[[str], Awaitable[bytes | None]]
"""The bytes of a blob, hash checked; None when it was erased."""

AT_ONCE = 8
"""Blobs fetched in parallel."""


async def apply(
    connection: asyncpg.Connection,
    projection: Projection,
    schema: str,
    events: Sequence[Recorded[Event]],
    *,
    before: int,
    now: int,
    fetch: Fetch,
) -> None:
    """Apply events to a schema that stands at `before`, and leave it at `now`. Raises `Overtaken`."""
    contents = await _contents(projection, events, fetch)
    folded = fold(
        change for recorded in events for change in projection.rows(recorded, contents.get(recorded.position))
    )
    async with connection.transaction():
        await checkpoints.advance(connection, schema, before=before, now=now)
        await write(connection, schema, folded.values())


async def _contents(
    projection: Projection, events: Sequence[Recorded[Event]], fetch: Fetch
) -> dict[int, Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def content(recorded: Recorded[Event], key: str) -> tuple[int, Any]:
        async with gate:
            data = await fetch(key)
        return recorded.position, None if data is None else projection.content(recorded.event, data)

    wanted = [(each, key) for each in events if (key := projection.blob(each.event))]
    return dict(await asyncio.gather(*(content(each, key) for each, key in wanted)))
