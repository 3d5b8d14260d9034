"""Erasure: the one lawful exception to an append-only log, by the only NATS user that may."""

from collections.abc import Sequence

import msgspec
from nats.aio.client import Client

from events.envelope import Event, Key, Recorded
from infra.jetstream import ApiError, api, erase_message
from infra.log import TOMBSTONE, Log
from infra.reservations import Reservation
from infra.stored import leader_get
from infra.streams import NO_SUCH_STREAM


class NotDeleted(Exception):
    """The aggregate has no tombstone: delete it first, then erase what it was."""


async def erase(key: Key, *, log: Log, eraser: Client) -> int:
    """Overwrite every message of a deleted aggregate but its tombstone, and the names it ever held; how many.

    Names first, then events, oldest first, so that one interrupted can be repeated: the events still tell the names,
    the tombstone and its neighbours the rest. `eraser` is a connection of the NATS user that may delete messages. On a
    cluster each node's Raft log keeps a copy until the next snapshot, a few minutes later. Raises `NotDeleted`.
    """
    history = await log.load(key)
    if not history or history[-1].event.name != TOMBSTONE:
        raise NotDeleted(f"{key.filter} is not deleted")
    positions = await _reservations(key, history, eraser) + [recorded.position for recorded in history[:-1]]
    for position in positions:
        await erase_message(eraser, key.stream, position)
    return len(positions)


async def forget_signals(eraser: Client, key: Key) -> None:
    """Take from `LIVE` what was told of an aggregate while it was made; without `LIVE` nothing was."""
    for told in (f"live.{key.aggregate}s.{key.id}.>", f"live.*.*.{key.aggregate}.{key.id}"):
        try:
            await api(eraser, "STREAM.PURGE.LIVE", {"filter": told})
        except ApiError as refused:
            if refused.code != NO_SUCH_STREAM:
                raise


async def _reservations(key: Key, history: Sequence[Recorded[Event]], nc: Client) -> list[int]:
    """Where the aggregate claimed or released a name: such a message says as much of it as an event does."""
    positions = []
    for subject in {claim.subject(key.context) for recorded in history for claim in recorded.event.claims}:
        at = 0
        while message := await leader_get(nc, key.stream, {"seq": at + 1, "next_by_subj": subject}):
            at = message.position
            if msgspec.json.decode(message.payload, type=Reservation).holder == key.id:
                positions.append(at)
    return positions
