"""Times that clients send: with any offset, so long as they have a place in UTC."""

from datetime import UTC, datetime

EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Beyond these a time may have no place in UTC once its offset is taken off, or mean infinity to a database."""


def in_utc(at: datetime, name: str) -> datetime:
    """The same moment in UTC. Raises `ValueError`, as a struct's `__post_init__` may, for one that nobody means."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"{name} must lie between the years 1000 and 9998")
    return at.astimezone(UTC)
