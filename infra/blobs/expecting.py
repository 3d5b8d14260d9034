"""Blobs that an event names and that are gone for a moment: the same content was just being erased for somebody else.

Whoever appended the event finds out (`handlers/commands.py`) and stores it again, which may take as long as making it
did. What follows the event is quicker; so it waits, unless what it works for has been deleted.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from events.envelope import Key
from infra.blobs import BlobMissing as Missing
from infra.blobs import Blobs, BlobsUnavailable
from infra.log import Log

PATIENCE = 60.0
"""Seconds for which a blob that is missing is expected to come back."""
MANY = 10_000

_working_for: ContextVar[Key | None] = ContextVar("working_for", default=None)


@contextmanager
def working_for(key: Key) -> Iterator[None]:
    """What is read within is read for this aggregate."""
    token = _working_for.set(key)
    try:
        yield
    finally:
        _working_for.reset(token)


def expecting(blobs: Blobs, log: Log) -> Blobs:
    """The same store for who works for aggregates: what is missing is `BlobsUnavailable` at first."""
    return cast(Blobs, _Expecting(blobs, log))


class _Expecting:
    def __init__(self, blobs: Blobs, log: Log) -> None:
        self._blobs = blobs
        self._log = log
        self._missed: dict[str, float] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._blobs, name)

    async def get(self, key: str, limit: int = 64 << 20) -> bytes:
        try:
            return await self._blobs.get(key, limit)
        except Missing as missing:
            raise await self._why(key, missing) from missing

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        try:
            async for piece in self._blobs.read(key, start, end):
                yield piece
        except Missing as missing:
            raise await self._why(key, missing) from missing

    async def _why(self, key: str, missing: Missing) -> Exception:
        for_whom, now = _working_for.get(), time.monotonic()
        if len(self._missed) > MANY:
            self._missed.clear()
        waited = now - self._missed.setdefault(key, now)
        if for_whom is None or waited > PATIENCE or await self._log.deleted(for_whom):
            return missing
        return BlobsUnavailable(f"blob {key} is not there now")
