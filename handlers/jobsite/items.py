"""Action items follow their recording: to its job, and away when it no longer asks for them."""

from typing import Any

from events.envelope import Recorded
from events.jobsite import SessionMoved, Summarised, Understood
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.action_item.decide import MoveActionItem, WithdrawActionItem


def followers() -> tuple[Handler, ...]:
    """The handlers of `understood`, `summarised` and `moved`."""

    async def follow(recorded: Recorded[Any], _: Attempt) -> list[Command]:
        event = recorded.event
        moved = [MoveActionItem(action_item_id=each, job_id=event.job_id) for each in event.action_items]
        gone = () if isinstance(event, SessionMoved) else event.withdrawn
        return [*moved, *(WithdrawActionItem(action_item_id=each) for each in gone)]

    return (
        Handler(name="items_understood", on=Understood, effect=follow),
        Handler(name="items_summarised", on=Summarised, effect=follow),
        Handler(name="items_moved", on=SessionMoved, effect=follow),
    )
