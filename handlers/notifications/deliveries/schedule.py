"""When what was not taken is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class Schedule:
    """Pauses that grow fourfold from `first` to `longest` seconds, `most` attempts in all."""

    first: float = 30.0
    longest: float = 3600.0
    most: int = 10

    def retry_at(self, delivery: UUID, attempt: int, now: datetime) -> datetime | None:
        """The time of the attempt after this one, None when it was the last.

        Up to a fifth is taken off, by the delivery's id, so that what failed together is not tried together.
        """
        if attempt >= self.most:
            return None
        pause = min(self.longest, self.first * 4 ** min(attempt - 1, 20))
        return now + timedelta(seconds=pause * (1 - delivery.int % 100 / 500))
