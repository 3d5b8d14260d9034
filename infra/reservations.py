"""Names that must be unique: one subject each, written in the same atomic batch as the event that claims them."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
from nats.aio.client import Client

from events.envelope import Claim, Event
from events.ids import new_id
from infra.jetstream import Message
from infra.stored import leader_get


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

    def of(self, events: Sequence[Event]) -> "Names":
        """What these events claim and release. A claim is first tried as if the name had never been used."""
        return Names(self._nc, events)

    async def holder(self, context: str, claim: Claim) -> UUID | None:
        """Who has a name now."""
        message = await leader_get(self._nc, context.upper(), {"last_by_subj": claim.subject(context)})
        reservation = msgspec.json.decode(message.payload, type=Reservation) if message else None
        return reservation.holder if reservation and reservation.held else None


class Names:
    """The claims and releases of one append, with the position each subject is believed to be at."""

    def __init__(self, nc: Client, events: Sequence[Event]) -> None:
        self._nc = nc
        self._key = events[0].key
        self._wanted: dict[Claim, bool] = {}
        for event in events:  # a name may pass through several hands: what counts is who has it in the end
            self._wanted |= dict.fromkeys(event.releases, False) | dict.fromkeys(event.claims, True)
        self._positions = dict.fromkeys(self._wanted, 0)
        self.has_releases = not all(self._wanted.values())

    def messages(self) -> list[Message]:
        """One guarded message a name, to go before the events in the batch."""
        return [self._message(claim, held, self._positions[claim]) for claim, held in self._wanted.items()]

    def _message(self, claim: Claim, held: bool, position: int) -> Message:
        subject = claim.subject(self._key.context)
        payload = msgspec.json.encode(Reservation(self._key.id, held))
        message = Message(subject, payload, {"Nats-Msg-Id": str(new_id())})
        message.expect(position, subject)
        return message

    async def look(self) -> None:
        """Read where each name stands. Raises `Taken` when another aggregate holds one that is claimed."""
        subjects = [claim.subject(self._key.context) for claim in self._wanted]
        newest = await asyncio.gather(
            *(leader_get(self._nc, self._key.stream, {"last_by_subj": each}) for each in subjects)
        )
        for (claim, held), message in zip(self._wanted.items(), newest, strict=True):
            if message is None:
                continue
            reservation = msgspec.json.decode(message.payload, type=Reservation)
            if held and reservation.held and reservation.holder != self._key.id:
                raise Taken(claim, reservation.holder)
            self._positions[claim] = message.position

    async def moved(self) -> bool:
        """Whether a refused append failed because of a name that had been used before: then try again."""
        if not self._wanted:
            return False
        before = dict(self._positions)
        await self.look()
        return self._positions != before
