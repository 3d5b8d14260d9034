"""Action items follow their recording: to its job, and away when it no longer asks for them."""

from typing import Any
from uuid import UUID

import msgspec

from events.envelope import Recorded
from events.jobsite import SessionMoved, Summarised, Understood
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.action_item.decide import AddActionItem, MoveActionItem, WithdrawActionItem
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.state import Session
from infra.blobs import BlobMissing, Blobs
from infra.understanding import Summary


def followers(*, reading: Reading, blobs: Blobs) -> tuple[Handler, ...]:
    """The handlers of `understood`, `summarised` and `moved`."""

    async def follow(recorded: Recorded[Any], _: Attempt) -> list[Command]:
        event = recorded.event
        moved = [MoveActionItem(action_item_id=each, job_id=event.job_id) for each in event.action_items]
        gone = [] if isinstance(event, SessionMoved) else await _gone(event)
        if isinstance(event, Understood):
            gone += await _overtaken(recorded)
        return [*moved, *(WithdrawActionItem(action_item_id=each) for each in gone)]

    async def _overtaken(recorded: Recorded[Understood]) -> list[UUID]:
        """What was asked for by an understanding of another transcript, which was not recorded any more."""
        session = await reading.session(recorded.event.session_id)
        if not isinstance(session, Session):
            return []
        results = (recorded.event, session.understood, session.summarised)
        asked = {id for made in results if made for id in made.action_items}
        return [each for each in await reading.items_before(recorded) if each not in asked]

    async def _gone(event: Understood | Summarised) -> list[UUID]:
        """Those that are not asked for again meanwhile."""
        if not event.withdrawn:
            return []
        session = await reading.session(event.session_id)
        still = session.asked_for if isinstance(session, Session) else ()
        return [each for each in event.withdrawn if each not in still]

    async def add(recorded: Recorded[Summarised], attempt: Attempt) -> list[Command]:
        """What the summary found; those that were there already go to the job."""
        event = recorded.event
        added: list[Command] = []
        session = await reading.session(event.session_id)
        still = session.asked_for if isinstance(session, Session) else ()
        if any(each in still for each in event.action_items):
            try:
                content = await blobs.get(event.blob)
            except BlobMissing:  # erased meanwhile
                return []
            found = _added(recorded, msgspec.json.decode(content, type=Summary))
            added += [each for each in found if each.action_item_id in still]
        return [*added, *await follow(recorded, attempt)]

    return (
        Handler(name="items_understood", on=Understood, effect=follow),
        Handler(name="items_summarised", on=Summarised, effect=add),
        Handler(name="items_moved", on=SessionMoved, effect=follow),
    )


def _added(recorded: Recorded[Summarised], summary: Summary) -> list[AddActionItem]:
    event = recorded.event
    return [
        AddActionItem(
            action_item_id=each.id,
            text=each.text,
            owner=each.owner,
            due=each.due,
            session_id=event.session_id,
            job_id=event.job_id,
            quote=each.quote,
            place=each.place,
            method=each.method,
            as_of=recorded.position,
        )
        for each in summary.action_items
        if each.id in event.action_items
    ]
