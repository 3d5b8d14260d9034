"""A small read model to test projecting with: accounts, and lines that say what was paid. Made anew for each test."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nats.aio.client import Client

from events.catalogue import Catalogue
from events.envelope import Event, Intent, Recorded, to_headers
from events.ids import new_id
from infra import jetstream
from projections.changes import Change, Table, delete, increment, patch, upsert
from projections.projection import Projection

ACCOUNTS = Table(
    "accounts",
    {
        "id": "uuid",
        "owner": "text not null",
        "balance": "bigint not null default 0",
        "paid_at": "timestamptz",
    },
    ("id",),
    indexes=("create index on {table} (owner)",),
)
LINES = Table("lines", {"account_id": "uuid", "n": "int", "amount": "bigint not null"}, ("account_id", "n"))
NOTES = Table(
    "notes", {"account_id": "uuid", "position": "bigint", "text": "text"}, ("account_id", "position")
)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shop:
    """The event types and the read model of one such context."""

    context: str
    Opened: type[Any]
    Paid: type[Any]
    Noted: type[Any]
    Deleted: type[Any]
    refuses: int | None = None
    """An amount that the projection cannot apply."""
    version: int = 1

    @property
    def stream(self) -> str:
        return self.context.upper()

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue([self.Opened, self.Paid, self.Noted, self.Deleted])

    @property
    def projection(self) -> Projection:
        return Projection(
            self.context,
            self.version,
            self.stream,
            (ACCOUNTS, LINES, NOTES),
            self.rows,
            blob=lambda event: event.blob if isinstance(event, self.Noted) else None,
            content=lambda _, data: data.decode(),
        )

    def changed(self, **changes: Any) -> "Shop":
        return replace(self, **changes)

    def rows(self, recorded: Recorded[Any], note: str | None) -> Iterator[Change]:
        e = recorded.event
        if isinstance(e, self.Opened):
            yield upsert(ACCOUNTS, id=e.account_id, owner=e.owner)
        elif isinstance(e, self.Paid):
            if e.amount == self.refuses:
                raise KeyError(f"nobody pays {e.amount}")
            yield increment(ACCOUNTS, id=e.account_id, balance=e.amount)
            yield patch(ACCOUNTS, id=e.account_id, paid_at=recorded.at)
            yield upsert(LINES, account_id=e.account_id, n=e.n, amount=e.amount)
        elif isinstance(e, self.Noted) and note is not None:
            yield upsert(NOTES, account_id=e.account_id, position=recorded.position, text=note)
        elif isinstance(e, self.Deleted):
            for table in (LINES, NOTES):
                yield delete(table, account_id=e.account_id)
            yield delete(ACCOUNTS, id=e.account_id)

    def account(self, payments: int) -> list[Event]:
        """An account is opened, and this much is paid in as many events."""
        account = new_id()
        opened = self.Opened(account_id=account, owner=f"owner {account}")
        return [opened, *(self.Paid(account_id=account, n=n, amount=n) for n in range(1, payments + 1))]


def new_shop() -> Shop:
    return shop(f"shop{next(_numbers)}")


def shop(name: str) -> Shop:
    class Entry(Event, frozen=True, kw_only=True):
        context = name
        aggregate = "account"
        account_id: UUID

    class Opened(Entry, frozen=True, kw_only=True):
        owner: str

    class Paid(Entry, frozen=True, kw_only=True):
        n: int
        amount: int

    class Noted(Entry, frozen=True, kw_only=True):
        blob: str

    class Deleted(Entry, frozen=True, kw_only=True):
        pass

    return Shop(name, Opened, Paid, Noted, Deleted)


async def store(nc: Client, shop: Shop, events: Sequence[Event]) -> int:
    """Publish events, in order and without waiting for each; the position of the last."""
    now = Intent(command_id=new_id(), actor="user:ada", at=datetime.now(UTC), correlation_id=new_id())
    *most, last = [
        jetstream.Message(
            each.key.filter[:-1] + each.name, shop.catalogue.encode(each), to_headers(each, new_id(), now)
        )
        for each in events
    ]
    for each in most:
        await nc.publish(each.subject, each.payload, headers=each.headers)
    return (await jetstream.publish(nc, last)).seq


async def junk(nc: Client, shop: Shop) -> int:
    """Store what no version can read; its position."""
    subject = f"{shop.context}.account.{new_id()}.opened"
    return (await jetstream.publish(nc, jetstream.Message(subject, b"{", {"ce-id": str(new_id())}))).seq
