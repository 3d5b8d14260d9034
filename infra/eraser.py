"""Erasure: the one lawful exception to an append-only log, by the only NATS user that may."""

from nats.aio.client import Client

from events.envelope import Key
from infra import jetstream
from infra.jetstream import ApiError
from infra.log import TOMBSTONE, Log

ALREADY_GONE = frozenset({10037, 10043, 10057})


class NotDeleted(Exception):
    """The aggregate has no tombstone: delete it first, then erase what it was."""


async def erase(key: Key, *, log: Log, eraser: Client) -> int:
    """Overwrite every message of a deleted aggregate but its tombstone; how many there were.

    Oldest first, so that one interrupted can be repeated: the tombstone and its neighbours still name the rest.
    `eraser` is a connection of the NATS user that may delete messages. Raises `NotDeleted`.
    """
    history = await log.load(key)
    if not history or history[-1].event.name != TOMBSTONE:
        raise NotDeleted(f"{key.filter} is not deleted")
    for recorded in history[:-1]:
        try:
            await jetstream.api(
                eraser, f"STREAM.MSG.DELETE.{key.stream}", {"seq": recorded.position, "no_erase": False}
            )
        except ApiError as refused:
            if refused.code not in ALREADY_GONE:
                raise
    return len(history) - 1
