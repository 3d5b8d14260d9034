"""Putting things into a ledger's stream, as we do and as others do."""

from uuid import UUID

from nats.aio.client import Client

from events.envelope import subject_of, to_headers
from events.ids import new_id
from infra import jetstream
from infra.log import Log
from tests.kernel.ledger import Ledger, intent


async def write(
    log: Log, ledger: Ledger, account: UUID, *batches: int, past: list[int] | None = None
) -> list[int]:
    """Append batches of these sizes, the amounts counting up from 0; every position of the account."""
    past = [] if past is None else past
    for size in batches:
        events = ledger.paid(account, *range(len(past), len(past) + size))
        past += [each.position for each in await log.append(events, intent(), past=past)]
    return past


async def store(nc: Client, ledger: Ledger, account: UUID, amount: int, **others: str) -> int:
    """What another tool does: publish an event with the headers of CloudEvents and these. Its position."""
    [event] = ledger.paid(account, amount)
    headers = to_headers(event, new_id(), intent()) | others
    message = jetstream.Message(subject_of(event), ledger.catalogue.encode(event), headers)
    return (await jetstream.publish(nc, message)).seq


async def erase(eraser: Client, ledger: Ledger, position: int) -> None:
    await jetstream.api(eraser, f"STREAM.MSG.DELETE.{ledger.stream}", {"seq": position})


def amounts(history) -> list[int]:
    return [each.event.amount for each in history]
