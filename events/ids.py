"""Identifiers: time-ordered for what is new, derived for what must be found again."""

import os
import time
from uuid import UUID, uuid5


def new_id(milliseconds: int | None = None, random: bytes | None = None) -> UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    at = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    noise = int.from_bytes(random or os.urandom(10))
    value = (
        (at & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (noise >> 68 & 0xFFF) << 64
        | 0b10 << 62
        | noise & (1 << 62) - 1
    )
    return UUID(int=value)


def derived_id(source: UUID, *names: str) -> UUID:
    """A stable id for what follows from `source` under these names, so that a second run finds the first.

    UUID version 5 (RFC 9562, section 5.5); the names are joined with a byte that none of them can hold.
    """
    return uuid5(source, "\0".join(names))
