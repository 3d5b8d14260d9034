"""Noting which blobs a piece of work stores, so that those that came to nothing can be let go of."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[set[str] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[set[str]]:
    """The keys of the blobs that are stored within, also by tasks that are begun there."""
    keys: set[str] = set()
    token = _noted.set(keys)
    try:
        yield keys
    finally:
        _noted.reset(token)


def note(key: str) -> None:
    """A store tells what it has stored."""
    if (keys := _noted.get()) is not None:
        keys.add(key)
