"""HTTP of notifications: what has happened, and what of it somebody has read."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.notifications import queries
from app.notifications.views import NotificationView, UnreadCount
from events.envelope import Key
from events.ids import derived_id
from events.notifications import Kind
from handlers.commands import Commands
from handlers.notifications.decide import MarkRead, ReadAll
from handlers.refusals import NotFound

INBOXES = UUID("3c0b7a52-7d0e-5d5b-9d0a-6f5a4f0f6a31")
"""Name space of inbox ids: everybody who asks has one."""


class NotificationsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which notifications to list, newest first."""

    unread: bool | None = None
    kind: Kind | None = None
    job_id: UUID | None = None
    session_id: UUID | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    exists: Callable[[Key], Awaitable[bool]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of notifications. Who asks is told what that key has read; others have a state of their own."""

    async def listing(call: Call[NotificationsQuery, None]) -> Reply:
        q = call.query
        rows = await queries.notifications(
            db,
            call.principal.id,
            unread=q.unread,
            kind=q.kind,
            job_id=q.job_id,
            session_id=q.session_id,
            before=from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None,
            limit=q.limit + 1,
        )
        more = to_cursor(rows[q.limit - 1][1]) if len(rows) > q.limit else None
        return Reply(body=Page([each for each, _ in rows[: q.limit]], more))

    async def show(call: Call[None, None]) -> Reply:
        id = call.ids["notificationId"]
        found = await queries.notification(db, call.principal.id, id)
        if found is None and await exists(Key("notifications", "notification", id)):
            found = await queries.notification(db, call.principal.id, id)
        if found is None:
            raise NotFound("NOTIFICATION_NOT_FOUND", f"There is no notification {id}.")
        return Reply(body=found)

    async def unread(call: Call[None, None]) -> Reply:
        return Reply(body=await queries.unread(db, call.principal.id), headers={"Cache-Control": "no-store"})

    async def read(call: Call[None, None]) -> Reply:
        command = MarkRead(notification_id=call.ids["notificationId"], reader=call.principal.id)
        outcome = await commands.execute(command, intent(call, clock, command))
        return Reply(position=outcome.cursor)

    async def read_all(call: Call[None, None]) -> Reply:
        reader = call.principal.id
        made = intent(call, clock, reader)
        command = ReadAll(inbox_id=derived_id(INBOXES, reader), reader=reader, up_to=await queries.newest(db))
        return Reply(position=(await commands.execute(command, made)).cursor)

    return (
        Endpoint(
            method="GET",
            path="/v1/notifications",
            handle=listing,
            summary="List notifications, newest first",
            description="Whether one is read is known for each API key.",
            tag="notifications",
            scope="notifications:read",
            query=NotificationsQuery,
            answer=Page[NotificationView],
        ),
        Endpoint(
            method="GET",
            path="/v1/notifications/unread-count",
            handle=unread,
            summary="How many notifications this key has not read",
            tag="notifications",
            scope="notifications:read",
            answer=UnreadCount,
        ),
        Endpoint(
            method="GET",
            path="/v1/notifications/{notificationId}",
            handle=show,
            summary="A notification",
            tag="notifications",
            scope="notifications:read",
            answer=NotificationView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/notifications/{notificationId}/read",
            handle=read,
            summary="Mark one as read",
            description="For the key that asks: `notifications:read` is enough.",
            tag="notifications",
            scope="notifications:read",
            status=204,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/notifications/read-all",
            handle=read_all,
            summary="Mark all that there are now as read",
            description="For the key that asks: `notifications:read` is enough.",
            tag="notifications",
            scope="notifications:read",
            status=204,
        ),
    )
