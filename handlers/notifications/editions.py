"""What a session's own events say of an edition of its report."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from events.envelope import Recorded
from events.ids import derived_id
from events.jobsite import (
    DiscrepanciesFound,
    DiscrepancyDismissed,
    Reported,
    SourceChanged,
    Summarised,
)


def newly_found(history: Iterable[Recorded[Any]], report: Recorded[Reported]) -> int:
    """How many discrepancies are in it that nobody was told of: in no earlier edition, nor found on their own."""
    told, current = set[UUID](), set[UUID]()
    for each in history:
        match each.event:
            case _ if each.position == report.position:
                return len(current - told)
            case Summarised() as e:
                current = set(e.discrepancies)
            case DiscrepanciesFound() as e:
                told |= set(e.discrepancies)
            case DiscrepancyDismissed() as e:
                told.add(e.discrepancy_id)
            case Reported():
                told |= current
    return 0


def mail_of(
    history: Iterable[Recorded[Any]], report: Recorded[Reported], recipient: str, unnamed: Collection[str]
) -> UUID:
    """The one mail that brings a recipient the editions up to this one; each that somebody asked for begins another.

    `unnamed` get the editions for which nobody is named.
    """
    asked = list[str]()
    for each in history:
        if each.position <= report.position and isinstance(each.event, Reported) and each.event.request_id:
            named = each.event.recipients or unnamed
            if recipient.lower() in [one.strip().lower() for one in named]:
                asked = [str(each.event.request_id)]
    return derived_id(report.event.session_id, "report", recipient.lower(), *asked)


def mail_before(
    history: Iterable[Recorded[Any]], report: Recorded[Reported], recipient: str, unnamed: Collection[str]
) -> UUID | None:
    """The one that brought the editions before this, where this comes by another."""
    before = [
        each for each in history if each.position < report.position and isinstance(each.event, Reported)
    ]
    if not before:
        return None
    earlier = mail_of(before, before[-1], recipient, unnamed)
    return earlier if earlier != mail_of([*before, report], report, recipient, unnamed) else None


def is_outdated(history: Iterable[Recorded[Any]], report: Recorded[Reported]) -> bool:
    """Whether it is not to be mailed any more: there is a later edition, or it may quote what was deleted since.

    In the latter case one without those words follows, for everybody. Which blobs have them was looked up before the
    event says so: an edition of that moment is not named in it.
    """
    later = [each.event for each in history if each.position > report.position]
    return any(
        isinstance(each, Reported) or (isinstance(each, SourceChanged) and each.forgotten) for each in later
    )
