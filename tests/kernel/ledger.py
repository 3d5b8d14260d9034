"""A small context to test the kernel with. Each test makes one of its own, so that none reads another's stream."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from events.catalogue import Catalogue
from events.envelope import Claim, Event, Intent, Key
from events.ids import new_id
from handlers.commands import Command, Decider
from handlers.refusals import Invalid, NotFound

_numbers = itertools.count(1)


class Pay(Command, frozen=True, kw_only=True):
    """Pay one amount after the other, one event each. An overdraft is refused, nothing to pay changes nothing."""

    account_id: UUID
    amounts: tuple[int, ...] = (1,)


class Name(Command, frozen=True, kw_only=True):
    """Give the account a name, or with None take the one it has away."""

    account_id: UUID
    name: str | None


class Close(Command, frozen=True, kw_only=True):
    account_id: UUID


class State(msgspec.Struct, frozen=True):
    payments: tuple[int, ...] = ()
    name: str | None = None
    closed: bool = False


@dataclass(frozen=True)
class Ledger:
    """The types of one such context."""

    context: str
    Paid: type[Any]
    Named: type[Any]
    Deleted: type[Any]

    @property
    def stream(self) -> str:
        return self.context.upper()

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue([self.Paid, self.Named, self.Deleted])

    @property
    def decider(self) -> Decider[Any, State]:
        return Decider(self.context, "account", (Pay, Name, Close), State(), self.decide, self.evolve)

    def key(self, account: UUID) -> Key:
        return Key(self.context, "account", account)

    def paid(self, account: UUID, *amounts: int, note: str = "") -> list[Event]:
        return [self.Paid(account_id=account, amount=each, note=note) for each in amounts]

    def decide(self, command: Command, state: State) -> Sequence[Event]:
        match command:
            case Pay(amounts=amounts) if state.closed and amounts:
                raise NotFound("CLOSED", "The account is closed.")
            case Pay(account_id=account, amounts=amounts):
                if sum(state.payments) + sum(amounts) < 0:
                    raise Invalid("OVERDRAWN", "There is not that much.")
                return self.paid(account, *amounts)
            case Name(account_id=account, name=name):
                return [] if name == state.name else [self.Named(account_id=account, to=name, was=state.name)]
            case Close(account_id=account):
                return [] if state.closed else [self.Deleted(account_id=account, was=state.name)]
        raise AssertionError(command)

    def evolve(self, state: State, event: Any) -> State:
        if isinstance(event, self.Paid):
            return msgspec.structs.replace(state, payments=(*state.payments, event.amount))
        if isinstance(event, self.Named):
            return msgspec.structs.replace(state, name=event.to)
        return State(closed=True)


def new_ledger() -> Ledger:
    class Entry(Event, frozen=True, kw_only=True):
        context = f"ledger{next(_numbers)}"
        aggregate = "account"
        account_id: UUID

    class Paid(Entry, frozen=True, kw_only=True):
        amount: int
        note: str = ""

    class Named(Entry, frozen=True, kw_only=True):
        to: str | None = None
        was: str | None = None

        @property
        def claims(self) -> tuple[Claim, ...]:
            return (Claim("name", self.to),) if self.to is not None else ()

        @property
        def releases(self) -> tuple[Claim, ...]:
            return (Claim("name", self.was),) if self.was is not None else ()

    class Deleted(Entry, frozen=True, kw_only=True):
        was: str | None = None

        @property
        def releases(self) -> tuple[Claim, ...]:
            return (Claim("name", self.was),) if self.was is not None else ()

    return Ledger(Entry.context, Paid, Named, Deleted)


def intent(command_id: UUID | None = None, *, fingerprint: str | None = None) -> Intent:
    """Somebody's wish; without an id, one of its own."""
    command_id = command_id or new_id()
    return Intent(
        command_id=command_id,
        actor="user:zoë",
        at=datetime.now(UTC),
        correlation_id=command_id,
        fingerprint=fingerprint,
    )
