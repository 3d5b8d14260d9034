"""When and how often to try again: a pure decision."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Exponential backoff with jitter; what the server asks for (`Retry-After`) is waited at least."""

    attempts: int = 8
    first: float = 0.5
    """Seconds before the second attempt, doubled before each one after it."""
    longest: float = 30.0
    timeout: float = 60.0
    """Seconds without a byte after which an attempt has failed."""

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds between this attempt (the first is 1) and the next."""
        backoff = min(self.longest, self.first * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)
        return max(backoff, retry_after or 0.0)
