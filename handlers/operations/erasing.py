"""What follows when something is deleted: its past is erased, and that this was done is recorded."""

from collections import Counter
from collections.abc import Iterable

from nats.aio.client import Client

from events.envelope import Event, Recorded
from events.ids import derived_id
from handlers.handler import Attempt, Handler
from handlers.operations.decide import RecordErasure
from infra.blobs.names import named
from infra.custody import Custody
from infra.eraser import erase, forget_signals
from infra.log import TOMBSTONE, Log

LONGEST = 600.0
"""Seconds for one attempt: an aggregate of a hundred thousand events."""


def erasers(
    types: Iterable[type[Event]], *, log: Log, custody: Custody, eraser: Client
) -> tuple[Handler, ...]:
    """One handler for each kind of aggregate that can be deleted."""
    return tuple(
        eraser_of(each, log=log, custody=custody, eraser=eraser) for each in types if each.name == TOMBSTONE
    )


def forgetters(types: Iterable[type[Event]], *, custody: Custody) -> tuple[Handler, ...]:
    """One handler for each kind of event that lets go of what earlier ones brought."""
    return tuple(_forgetter(each, custody) for each in types if each.forgets is not Event.forgets)


def _forgetter(event: type[Event], custody: Custody) -> Handler:
    async def forget(recorded: Recorded[Event], _: Attempt) -> tuple[()]:
        await custody.release(recorded.event.forgets, after=recorded)
        return ()

    name = f"forget_{event.context}_{event.aggregate}_{event.name}"
    return Handler(name=name, on=event, effect=forget, timeout=LONGEST)


def eraser_of(tombstone: type[Event], *, log: Log, custody: Custody, eraser: Client) -> Handler:
    """The handler of one tombstone.

    The read models go first: then they say who else names a blob, and none of them meets a past with holes that it
    has not been told of. Blobs go before the events that name them, so that what is interrupted can be repeated.
    """

    async def let_go(recorded: Recorded[Event], _: Attempt) -> RecordErasure:
        key = recorded.event.key
        history = await log.load(key)
        brought = {blob: each.event.name for each in reversed(history) for blob in named(each.event)}
        released = await custody.release(brought, after=recorded)
        messages = await erase(key, log=log, eraser=eraser)
        await forget_signals(eraser, key)
        return RecordErasure(
            erasure_id=derived_id(key.id, key.context, key.aggregate),
            what=f"{key.context}.{key.aggregate}",
            id=key.id,
            position=recorded.cursor,
            messages=messages,
            erased=Counter(brought[each] for each in released.erased),
            kept=Counter(brought[each] for each in released.kept),
        )

    return Handler(
        name=f"erase_{tombstone.context}_{tombstone.aggregate}",
        on=tombstone,
        effect=let_go,
        timeout=LONGEST,
        concurrency=16,
    )
