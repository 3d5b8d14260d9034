"""Names that must be unique: one subject each, written in the same atomic batch as the event that claims them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from nats.aio.client import Client

from events.envelope import Claim, Event
from events.ids import new_id
from infra import jetstream
from infra.jetstream import Message


class Taken(Exception):
    """Another aggregate holds the name."""

    def __init__(self, claim: Claim, holder: UUID) -> None:
        super().__init__(f"{claim.kind} {claim.value!r} is taken")
        self.claim = claim
        self.holder = holder


class Reservation(msgspec.Struct, frozen=True, rename="camel"):
    """The payload under `<context>.unique.<kind>.<value>`: who holds the name, or held it last."""

    holder: UUID
    held: bool


class Reservations:
    """Where the names stand in the log."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def of(self, events: Sequence[Event]) -> "Names":
        """What these events claim and release. A claim is first tried as if the name had never been used."""
        names = Names(self._nc, events)
        if names.has_releases:
            await names.look()
        return names


class Names:
    """The claims and releases of one append, with the position each subject is believed to be at."""

    def __init__(self, nc: Client, events: Sequence[Event]) -> None:
        self._nc = nc
        self._key = events[0].key
        self._wanted = [(claim, True) for event in events for claim in event.claims]
        self._wanted += [(claim, False) for event in events for claim in event.releases]
        self._positions = [0] * len(self._wanted)
        self.has_releases = any(not held for _, held in self._wanted)

    def messages(self) -> list[Message]:
        """One guarded message a name, to go before the events in the batch."""
        return [
            self._message(claim, held, at)
            for (claim, held), at in zip(self._wanted, self._positions, strict=True)
        ]

    def _message(self, claim: Claim, held: bool, position: int) -> Message:
        subject = claim.subject(self._key.context)
        payload = msgspec.json.encode(Reservation(self._key.id, held))
        message = Message(subject, payload, {"Nats-Msg-Id": str(new_id())})
        message.expect(position, subject)
        return message

    async def look(self) -> None:
        """Read where each name stands. Raises `Taken` when another aggregate holds one that is claimed."""
        queries = [{"last_by_subj": claim.subject(self._key.context)} for claim, _ in self._wanted]
        newest = await jetstream.direct_get(self._nc, self._key.stream, *queries)
        for n, ((claim, held), message) in enumerate(zip(self._wanted, newest, strict=True)):
            if message is None:
                continue
            reservation = msgspec.json.decode(message.payload, type=Reservation)
            if held and reservation.held and reservation.holder != self._key.id:
                raise Taken(claim, reservation.holder)
            self._positions[n] = message.position

    async def moved(self) -> bool:
        """Whether a refused append failed because of a name that had been used before: then try again."""
        if not self._wanted:
            return False
        before = list(self._positions)
        await self.look()
        return self._positions != before
