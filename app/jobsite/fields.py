"""The values that requests about a job carry, with their bounds."""

from typing import Annotated, Any, TypeVar

import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.forms import EMAIL, LETTER, VISIBLE

Email = Annotated[str, msgspec.Meta(pattern=EMAIL, max_length=254)]
Title = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(pattern=LETTER, min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(pattern=VISIBLE, min_length=1, max_length=2000)]
Person = Annotated[str, msgspec.Meta(pattern=VISIBLE, min_length=1, max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

Item = TypeVar("Item")


class AsOf(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When."""

    as_of: Text | None = None
    """A time (RFC 3339) or a position (`JOBSITE@1234`): the answer is what was known then, from the log."""


def before(cursor: str | None) -> int | None:
    """The position that a page comes before."""
    place: Any = from_cursor(cursor, tuple[Place])[0] if cursor else None
    return None if place is None else int(place)


def page(found: list[tuple[Item, int]], limit: int) -> Page[Item]:
    """A page of what was found, of which there is one more than fits when there is another page."""
    more = to_cursor(found[limit - 1][1]) if len(found) > limit else None
    return Page([item for item, _ in found[:limit]], more)
