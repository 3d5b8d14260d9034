"""Pages of a list, and the opaque cursors that lead from one to the next."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from app.http.moments import in_utc
from app.http.problems import Malformed

Item = TypeVar("Item")
Key = TypeVar("Key")

LONGEST = 1024

Place = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
"""A position in a sort key: cursors come from outside, and a database refuses a number that it cannot hold."""


class Page(msgspec.Struct, Generic[Item], frozen=True, rename="camel"):
    """One page of a list; `nextCursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def to_cursor(*key: object) -> str:
    """The cursor of the item with this sort key: what the next page comes after."""
    return urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def from_cursor(cursor: str, key: type[Key]) -> Key:
    """The sort key in a cursor that a client sent back; `key` is its type, e.g. `tuple[datetime, UUID]`."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError(cursor)
        decoded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if b"\\u0000" in decoded:
            raise ValueError(cursor)
        parts: Any = msgspec.json.decode(decoded, type=key)
        return tuple(in_utc(each, "it") if isinstance(each, datetime) else each for each in parts)  # type: ignore[return-value]
    except (ValueError, TypeError, RecursionError):
        raise Malformed(
            "INVALID_CURSOR",
            "The cursor is not one of this list. Send nextCursor as it came.",
            field="cursor",
        ) from None
