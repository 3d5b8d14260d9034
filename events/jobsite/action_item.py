"""What happens to an action item: something that somebody has to do."""

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from events.envelope import Event


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where something was said or is written: characters of the text, seconds of the recording, or a page."""

    start_char: int
    end_char: int
    start: float | None = None
    end: float | None = None
    page: int | None = None


class ActionItemEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "action_item"
    action_item_id: UUID
    job_id: UUID | None = None
    """Whose job it is, as far as that is known."""


class ActionItemAdded(ActionItemEvent, frozen=True, kw_only=True):
    text: str
    owner: str | None = None
    due: date | None = None
    session_id: UUID | None = None
    """The recording that asks for it; None when it was written by hand."""
    quote: str | None = None
    """The words that ask for it."""
    place: Place | None = None
    method: str = "hand"
    """What found it: `hand`, `grammar` or `model:<name>`."""
    as_of: int = 0
    """Where in the log stands what asks for it."""


class ActionItemRestated(ActionItemEvent, frozen=True, kw_only=True):
    """Its recording, understood anew, asks for it of somebody else, at another time or in another place."""

    text: str
    owner: str | None = None
    due: date | None = None
    quote: str | None = None
    place: Place | None = None
    method: str
    as_of: int


class ActionItemEdited(ActionItemEvent, frozen=True, kw_only=True):
    """It reads otherwise, or is due at another time."""

    text: str
    due: date | None = None


class ActionItemAssigned(ActionItemEvent, frozen=True, kw_only=True):
    owner: str | None = None
    """None: nobody's any more."""


class ActionItemMoved(ActionItemEvent, frozen=True, kw_only=True):
    """It belongs to another job, like the recording that asks for it."""


class ActionItemDone(ActionItemEvent, frozen=True, kw_only=True):
    pass


class ActionItemReopened(ActionItemEvent, frozen=True, kw_only=True):
    pass


class ActionItemWithdrawn(ActionItemEvent, frozen=True, kw_only=True):
    """Its recording, understood anew, no longer asks for it. It is added again when that does."""

    session_id: UUID | None = None


class ActionItemDeleted(ActionItemEvent, frozen=True, kw_only=True):
    """It is gone."""

    session_id: UUID | None = None


ACTION_ITEM_EVENTS = (
    ActionItemAdded,
    ActionItemRestated,
    ActionItemEdited,
    ActionItemAssigned,
    ActionItemMoved,
    ActionItemDone,
    ActionItemReopened,
    ActionItemWithdrawn,
    ActionItemDeleted,
)
