"""Rules of an action item."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never, get_args
from uuid import UUID

from msgspec import UNSET, UnsetType, structs

from events.jobsite import (
    ActionItemAdded,
    ActionItemAssigned,
    ActionItemDeleted,
    ActionItemDone,
    ActionItemEdited,
    ActionItemEvent,
    ActionItemMoved,
    ActionItemReopened,
    ActionItemRestated,
    ActionItemWithdrawn,
    Place,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class AddActionItem(Command, frozen=True, kw_only=True):
    """Adds it; what a recording has asked for already, and asks for otherwise now, becomes that, unless people have
    dealt with it or something newer has asked for it."""

    action_item_id: UUID
    text: str
    owner: str | None = None
    due: date | None = None
    session_id: UUID | None = None
    job_id: UUID | None = None
    quote: str | None = None
    place: Place | None = None
    method: str = "hand"
    as_of: int = 0


class EditActionItem(Command, frozen=True, kw_only=True):
    """Makes it say something else, or be due at another time; what is not set stays as it is then."""

    action_item_id: UUID
    text: str | UnsetType = UNSET
    due: date | UnsetType | None = UNSET


class AssignActionItem(Command, frozen=True, kw_only=True):
    action_item_id: UUID
    owner: str | None = None


class MoveActionItem(Command, frozen=True, kw_only=True):
    """Its recording belongs to another job."""

    action_item_id: UUID
    job_id: UUID | None = None


class FinishActionItem(Command, frozen=True, kw_only=True):
    action_item_id: UUID


class ReopenActionItem(Command, frozen=True, kw_only=True):
    action_item_id: UUID


class WithdrawActionItem(Command, frozen=True, kw_only=True):
    """Its recording, understood anew, no longer asks for it. One that people have dealt with stays."""

    action_item_id: UUID


class DeleteActionItem(Command, frozen=True, kw_only=True):
    action_item_id: UUID


ActionItemCommand = (
    AddActionItem
    | EditActionItem
    | AssignActionItem
    | MoveActionItem
    | FinishActionItem
    | ReopenActionItem
    | WithdrawActionItem
    | DeleteActionItem
)


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class ActionItem:
    text: str
    due: date | None
    owner: str | None
    session_id: UUID | None
    job_id: UUID | None
    done: bool = False
    touched: bool = False
    """Whether people have dealt with it."""
    quote: str | None = None
    place: Place | None = None
    as_of: int = 0


@dataclass(frozen=True)
class Withdrawn:
    """Its recording does not ask for it any more; it may again."""

    session_id: UUID | None


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | ActionItem | Withdrawn | Deleted


def decide(command: ActionItemCommand, state: State) -> Sequence[ActionItemEvent]:
    match command, state:
        case AddActionItem() as c, Absent() | Withdrawn():
            return [as_told(ActionItemAdded, c)]
        case (
            (AddActionItem() | WithdrawActionItem() | MoveActionItem()),
            Absent() | Withdrawn() | Deleted(),
        ):
            return []
        case DeleteActionItem(), Deleted():
            return []
        case DeleteActionItem() as c, Withdrawn():
            return [ActionItemDeleted(action_item_id=c.action_item_id, session_id=state.session_id)]
        case _, Absent() | Withdrawn() | Deleted():
            raise NotFound("ACTION_ITEM_NOT_FOUND", f"There is no action item {command.action_item_id}.")
        case MoveActionItem() as c, ActionItem():
            return [] if c.job_id == state.job_id else [as_told(ActionItemMoved, c)]
        case _, ActionItem():
            return [structs.replace(event, job_id=state.job_id) for event in _follow(command, state)]
    assert_never(state)


def _follow(command: ActionItemCommand, item: ActionItem) -> Sequence[ActionItemEvent]:
    match command:
        case AddActionItem() as c:
            return _restated(c, item)
        case MoveActionItem():
            return []
        case EditActionItem() as c:
            text = item.text if c.text is UNSET else c.text
            due = item.due if c.due is UNSET else c.due
            if (text, due) == (item.text, item.due):
                return []
            return [ActionItemEdited(action_item_id=c.action_item_id, text=text, due=due)]
        case AssignActionItem() as c:
            return [] if c.owner == item.owner else [as_told(ActionItemAssigned, c)]
        case FinishActionItem() as c:
            return [] if item.done else [as_told(ActionItemDone, c)]
        case ReopenActionItem() as c:
            return [as_told(ActionItemReopened, c)] if item.done else []
        case WithdrawActionItem() as c:
            return [] if item.touched else [as_told(ActionItemWithdrawn, c, session_id=item.session_id)]
        case DeleteActionItem() as c:
            return [as_told(ActionItemDeleted, c, session_id=item.session_id)]
    assert_never(command)


def _restated(c: AddActionItem, item: ActionItem) -> Sequence[ActionItemEvent]:
    if item.touched or c.session_id is None or c.session_id != item.session_id or c.as_of <= item.as_of:
        return []
    before = (item.text, item.owner, item.due, item.quote, item.place)
    same = (c.text, c.owner, c.due, c.quote, c.place) == before
    return [] if same else [as_told(ActionItemRestated, structs.replace(c, job_id=item.job_id))]


def evolve(state: State, event: ActionItemEvent) -> State:
    match event, state:
        case ActionItemAdded() as e, _:
            return ActionItem(
                e.text, e.due, e.owner, e.session_id, e.job_id, quote=e.quote, place=e.place, as_of=e.as_of
            )
        case ActionItemDeleted(), _:
            return Deleted()
        case ActionItemWithdrawn() as e, _:
            return Withdrawn(e.session_id)
        case ActionItemMoved() as e, ActionItem() as s:
            return replace(s, job_id=e.job_id)
        case ActionItemRestated() as e, ActionItem() as s:
            return replace(
                s, text=e.text, owner=e.owner, due=e.due, quote=e.quote, place=e.place, as_of=e.as_of
            )
        case ActionItemEdited() as e, ActionItem() as s:
            return replace(s, text=e.text, due=e.due, touched=True)
        case ActionItemAssigned() as e, ActionItem() as s:
            return replace(s, owner=e.owner, touched=True)
        case ((ActionItemDone() | ActionItemReopened()), ActionItem() as s):
            return replace(s, done=isinstance(event, ActionItemDone), touched=True)
    return state


ACTION_ITEMS: Decider[ActionItemCommand, State] = Decider(
    "jobsite", "action_item", get_args(ActionItemCommand), Absent(), decide, evolve, creates=(AddActionItem,)
)
