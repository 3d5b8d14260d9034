"""The report of a recording for the office: the same content as HTML and as plain text."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from infra.understanding import Discrepancy


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do, as it stands now."""

    text: str
    owner: str | None = None
    due: date | None = None
    done: bool = False


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report tells."""

    title: str
    job: str | None
    builder: str | None
    recorded_at: datetime
    seconds: float
    summary: str
    method: str
    items: Sequence[Item] = ()
    discrepancies: Sequence[Discrepancy] = ()
    notes: Sequence[str] = ()
    url: str
    """Where everything about the session is."""


def subject(content: Content) -> str:
    """One line that says what matters: `Boiler room, Maple Street: 1 discrepancy, 2 action items`."""
    about = content.title if content.job in {None, content.title} else f"{content.title}, {content.job}"
    counts = [
        f"{count} {name}{'' if count == 1 else 's'}".replace("discrepancys", "discrepancies")
        for count, name in (
            (len(content.discrepancies), "discrepancy"),
            (sum(not each.done for each in content.items), "action item"),
        )
        if count
    ]
    line = f"{about}: {', '.join(counts) or 'nothing to do'}"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())[:200]


def moment(seconds: float) -> str:
    """`1:05` into a recording."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def where(place_start: float | None, page: int | None) -> str:
    """Where a quote stands, for people: `at 1:05`, `page 2`."""
    if place_start is not None:
        return f"at {moment(place_start)}"
    return f"page {page}" if page is not None else ""


def due(item: Item) -> str:
    """Who and until when, where that is known."""
    parts = [item.owner or "", f"due {item.due.isoformat()}" if item.due else "", "done" if item.done else ""]
    return ", ".join(part for part in parts if part)
