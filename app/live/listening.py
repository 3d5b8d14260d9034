"""Following events from within the process: what is readable now, one after the other."""

from collections.abc import Callable
from typing import Any

from app.http.positions import Position
from app.live.limits import Limits
from app.live.outbox import Outbox
from app.live.subscription import Subscription, Told, Why
from app.live.topics import Address
from events.envelope import Recorded


class Listening(Subscription):
    """Calls a function with each event that concerns an address, from now on."""

    def __init__(self, address: Address, hear: Callable[[Recorded[Any]], None]) -> None:
        super().__init__(Outbox(Limits(), lambda: None), [address], None)
        self._hear = hear

    def begin(self, at: Position) -> None:
        self.after = at.sequence

    def tell(self, told: Told, address: str) -> None:
        if told.recorded.position > self.after:
            self.after = told.recorded.position
            self._hear(told.recorded)

    def skip(self, to: Position, why: Why, *, since: Position | None = None) -> None:
        self.after = to.sequence
