"""What one client may take of a process."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Past any of these a client is refused or closed; nobody else notices."""

    message_bytes: int = 16 << 10
    """Of one message from a client."""
    messages_per_second: float = 20.0
    messages_at_once: int = 200
    mistakes: int = 20
    """Bad messages at once, after which a socket is closed; one is forgiven every half a minute."""
    topics: int = 100
    """On one connection."""
    connections: int = 2000
    """Of one key."""
    queue: int = 256
    """Messages that wait for a slow client."""
    queue_bytes: int = 1 << 20
    behind: int = 10_000
    """Events that are given again to a client that comes back."""


class Allowance:
    """So many at once, and so many a second in the long run."""

    def __init__(self, at_once: int, per_second: float, now: float) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._left = float(at_once)
        self._counted = now

    def take(self, now: float) -> bool:
        """Whether one more is allowed at `now`, in seconds of any clock that only goes forward."""
        self._left = min(self._at_once, self._left + (now - self._counted) * self._per_second)
        self._counted = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
