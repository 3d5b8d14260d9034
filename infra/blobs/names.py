"""Which blobs an event names: every value of it that reads as the key of one."""

import re

import msgspec

from events.envelope import Event

KEYS = re.compile(rb'"([0-9a-f]{64})"')

_encode = msgspec.json.Encoder().encode


def named(event: Event) -> frozenset[str]:
    """The keys of the blobs that an event brought or refers to.

    What it brought it says itself (`Event.blobs`); looking at every value as well, nothing is erased that anybody still
    refers to, and nothing is left because somebody forgot to say so.
    """
    return frozenset(event.blobs) | {key.decode() for key in KEYS.findall(_encode(event))}
