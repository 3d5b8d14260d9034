"""What one client follows in one stream, and how far it has been told."""

from collections.abc import Sequence
from enum import Enum

from app.http.positions import Position
from app.live.messages import Gap, Message, Subscribed, happened, message
from app.live.outbox import Outbox
from app.live.topics import Address
from events.envelope import Event, Recorded
from infra.log import TOMBSTONE


class Why(Enum):
    """Why a past is not told."""

    OTHER_STREAM = "The cursor is of another stream."
    AHEAD_OF_LOG = "The log ends before the cursor."
    TOO_FAR_BEHIND = "Too much has happened since."
    ERASED = "Something was deleted; what led to it may be erased."
    UNREADABLE = "Something that happened since cannot be read by this version."


class Told:
    """An event and whom it concerns; encoded once for each address, however many follow it."""

    __slots__ = ("_messages", "addresses", "recorded")

    def __init__(self, recorded: Recorded[Event], addresses: Sequence[str]) -> None:
        self.recorded = recorded
        self.addresses = addresses
        self._messages: dict[str, Message] = {}

    def message(self, address: str) -> Message:
        if address not in self._messages:
            self._messages[address] = happened(address, self.recorded)
        return self._messages[address]


class Subscription:
    """Addresses of one stream that a client follows together: their events come in the stream's order, each once."""

    def __init__(self, outbox: Outbox, addresses: Sequence[Address], since: Position | None) -> None:
        self.outbox = outbox
        self.addresses = {str(each): each for each in addresses}
        self.filters = dict.fromkeys(filter for each in addresses for filter in each.filters)
        self.stream = addresses[0].topic.stream
        self.since = since
        self.after = -1
        """The position up to which the client has been told; -1 before it is known where to begin."""
        self.live = False

    def reached(self, position: int) -> int:
        """Up to where the client has been told everything, when others have been told up to `position`.

        -1 when that is not known yet.
        """
        if self.live:
            return max(self.after, position)
        if self.after < 0 and self.since and self.since.stream == self.stream:
            return self.since.sequence
        return self.after

    def begin(self, at: Position) -> None:
        """Tell the client behind which position it begins."""
        self.after = at.sequence
        for address in self.addresses:
            self.outbox.put(message(Subscribed(topic=address, cursor=str(at)), at))

    def tell(self, told: Told, address: str) -> None:
        """Tell the client of an event, unless it has been told, perhaps under another address."""
        if told.recorded.position > self.after and self.addresses[address].wants(told.recorded):
            self.outbox.put(told.message(address))
            self.after = told.recorded.position

    def tell_past(self, told: Told) -> None:
        """Tell the client of an event that happened before it came, if it concerns what it follows."""
        recorded = told.recorded
        if address := self.concerned(told):
            if recorded.event.name == TOMBSTONE:
                self.skip(Position(recorded.stream, recorded.position - 1), Why.ERASED)
            self.tell(told, address)
        self.after = max(self.after, recorded.position)

    def concerned(self, told: Told) -> str | None:
        """The first of what it follows that an event belongs to, if any."""
        mine = (each for each in told.addresses if each in self.addresses)
        return next((each for each in mine if self.addresses[each].wants(told.recorded)), None)

    def skip(self, to: Position, why: Why, *, since: Position | None = None) -> None:
        """Tell the client that something is missing (from where it is, if not from elsewhere), and where it goes on."""
        since = since or Position(to.stream, self.after)
        for address in self.addresses:
            gap = Gap(topic=address, since=str(since), cursor=str(to), code=why.name, detail=why.value)
            self.outbox.put(message(gap, to))
        self.after = to.sequence
