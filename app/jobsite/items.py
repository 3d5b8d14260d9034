"""HTTP of action items: what has to be done, by whom and when."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.intents import created_id, intent
from app.jobsite import job_queries as queries
from app.jobsite.changes import carried_out, not_deleted
from app.jobsite.fields import Limit, Person, Words, before, page
from app.jobsite.job_views import Done
from app.jobsite.views import ActionItemView
from handlers.commands import Command, Commands
from handlers.jobsite.action_item.decide import (
    ACTION_ITEMS,
    ActionItem,
    AddActionItem,
    AssignActionItem,
    DeleteActionItem,
    EditActionItem,
    FinishActionItem,
    ReopenActionItem,
    State,
)
from handlers.refusals import NotFound


class ItemBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something to do, written by hand."""

    text: Words
    owner: Person | None = None
    due: date | None = None
    job_id: UUID | None = None


class ItemChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be otherwise; what is left out stays, and null takes the owner or the date away."""

    text: Words | msgspec.UnsetType = msgspec.UNSET
    due: date | msgspec.UnsetType | None = msgspec.UNSET
    owner: Person | msgspec.UnsetType | None = msgspec.UNSET
    done: bool | msgspec.UnsetType = msgspec.UNSET


class ItemsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which action items to list, newest first."""

    job_id: UUID | None = None
    session_id: UUID | None = None
    owner: Person | None = None
    done: bool | None = None
    due_before: date | None = None
    limit: Limit = 50
    cursor: str | None = None


def endpoints(*, commands: Commands, db: asyncpg.Pool, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of action items."""

    async def add(call: Call[None, ItemBody]) -> Reply:
        body, made = call.body, intent(call, clock, call.body)
        await not_deleted(commands, body.job_id)
        item_id = created_id(made, "action_item")
        command = AddActionItem(
            action_item_id=item_id,
            text=body.text.strip(),
            owner=body.owner,
            due=body.due,
            job_id=body.job_id,
        )
        outcome = await commands.execute(command, made, fresh=True)
        place = {"Location": f"/v1/action-items/{item_id}"}
        return Reply(body=Done(id=item_id, position=outcome.cursor), position=outcome.cursor, headers=place)

    async def listing(call: Call[ItemsQuery, None]) -> Reply:
        q = call.query
        found = await queries.action_items(
            db,
            job_id=q.job_id,
            session_id=q.session_id,
            owner=q.owner,
            done=q.done,
            due_before=q.due_before,
            before=before(q.cursor),
            limit=q.limit + 1,
        )
        body = page(found, q.limit)
        return Reply(body=body, etag=version_of(body))

    async def item(call: Call[None, None]) -> Reply:
        view = await queries.action_item(db, call.ids["actionItemId"])
        if view is None:
            raise NotFound("ACTION_ITEM_NOT_FOUND", f"There is no action item {call.ids['actionItemId']}.")
        return Reply(body=view, etag=version_of(view))

    async def change(call: Call[None, ItemChange]) -> Reply:
        item_id = call.ids["actionItemId"]
        state: State = await commands.look(ACTION_ITEMS, item_id)
        if not isinstance(state, ActionItem):
            raise NotFound("ACTION_ITEM_NOT_FOUND", f"There is no action item {item_id}.")
        return await carried_out(commands, call, clock, item_id, *_wanted(item_id, call.body))

    def one(make: Callable[[UUID], Command]) -> Callable[[Call[None, None]], object]:
        async def handle(call: Call[None, None]) -> Reply:
            item_id = call.ids["actionItemId"]
            return await carried_out(commands, call, clock, item_id, make(item_id))

        return handle

    return (
        Endpoint(
            method="POST",
            path="/v1/action-items",
            handle=add,
            summary="Add an action item by hand",
            tag="action items",
            scope="jobsite:write",
            body=ItemBody,
            example=ItemBody(text="Order forty sheets of drywall", owner="Mike"),
            answer=Done,
            status=201,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path="/v1/action-items",
            handle=listing,
            summary="List action items, newest first",
            tag="action items",
            scope="jobsite:read",
            query=ItemsQuery,
            answer=Page[ActionItemView],
        ),
        Endpoint(
            method="GET",
            path="/v1/action-items/{actionItemId}",
            handle=item,
            summary="An action item, and where it was said",
            tag="action items",
            scope="jobsite:read",
            answer=ActionItemView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="PATCH",
            path="/v1/action-items/{actionItemId}",
            handle=change,
            summary="Edit, assign, finish or reopen an action item",
            tag="action items",
            scope="jobsite:write",
            body=ItemChange,
            answer=Done,
            refusals=(NotFound,),
        ),
        _act("done", "Finish an action item", one(lambda id: FinishActionItem(action_item_id=id))),
        _act("reopen", "Reopen an action item", one(lambda id: ReopenActionItem(action_item_id=id))),
        Endpoint(
            method="DELETE",
            path="/v1/action-items/{actionItemId}",
            handle=one(lambda id: DeleteActionItem(action_item_id=id)),  # type: ignore[arg-type]
            summary="Delete an action item for good",
            tag="action items",
            scope="jobsite:write",
            answer=Done,
            refusals=(NotFound,),
        ),
    )


def _act(verb: str, summary: str, handle: object) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/action-items/{{actionItemId}}/{verb}",
        handle=handle,  # type: ignore[arg-type]
        summary=summary,
        tag="action items",
        scope="jobsite:write",
        answer=Done,
        refusals=(NotFound,),
    )


def _wanted(item_id: UUID, body: ItemChange) -> list[Command]:
    text = msgspec.UNSET if body.text is msgspec.UNSET else body.text.strip()
    wanted: list[Command] = [EditActionItem(action_item_id=item_id, text=text, due=body.due)]
    if body.owner is not msgspec.UNSET:
        wanted.append(AssignActionItem(action_item_id=item_id, owner=body.owner))
    if body.done is not msgspec.UNSET:
        act = FinishActionItem if body.done else ReopenActionItem
        wanted.append(act(action_item_id=item_id))
    return wanted
