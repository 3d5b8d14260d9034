"""HTTP of the outbox: what was sent to whom, when, and what came of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.http.auth import authorize
from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.notifications import queries
from app.notifications.views import DeliveryDetail, DeliveryView, Status
from events.envelope import Key
from events.notifications import Channel
from handlers.commands import Commands
from handlers.notifications.deliveries.commands import Cancel, Resend
from handlers.refusals import Conflict, NotFound
from infra.blobs import BlobMissing, Blobs
from infra.mail.reading import parts

LARGEST = 32 << 20
"""Bytes of a rendered mail."""
REPORTS = "jobsite:read"
"""The scope of those who may read what was said on a job."""


class OutboxQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which deliveries to list, newest first."""

    status: Status | None = None
    channel: Channel | None = None
    recipient: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    session_id: UUID | None = None
    webhook_id: UUID | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    exists: Callable[[Key], Awaitable[bool]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of the outbox."""

    async def listing(call: Call[OutboxQuery, None]) -> Reply:
        q = call.query
        rows = await queries.outbox(
            db,
            status=q.status,
            channel=q.channel,
            recipient=q.recipient,
            session_id=q.session_id,
            webhook_id=q.webhook_id,
            before=from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None,
            limit=q.limit + 1,
        )
        more = to_cursor(rows[q.limit - 1][1]) if len(rows) > q.limit else None
        return Reply(body=Page([each for each, _ in rows[: q.limit]], more))

    async def found(id: UUID) -> asyncpg.Record:
        row = await queries.delivery(db, id)
        if row is None and await exists(Key("notifications", "delivery", id)):
            row = await queries.delivery(db, id)
        if row is None:
            raise NotFound("DELIVERY_NOT_FOUND", f"There is no delivery {id}.")
        return row

    async def content(row: asyncpg.Record) -> bytes | None:
        """What is or was sent, unless it is gone."""
        try:
            return await blobs.get(row["blob"], LARGEST) if row["blob"] else None
        except BlobMissing:
            return None

    async def show(call: Call[None, None]) -> Reply:
        row = await found(call.ids["deliveryId"])
        mail = row["channel"] == "mail"
        sent = await content(row) if not mail or call.principal.may(REPORTS) else None
        text, html = parts(sent) if sent and mail else (None, None)
        view = DeliveryDetail(
            **msgspec.structs.asdict(queries.delivery_view(row)),
            history=await queries.attempts(db, row["id"]),
            text=text,
            html=html,
            body=sent.decode() if sent and not mail else None,
            raw_url=f"/v1/outbox/{row['id']}/raw" if sent else None,
        )
        return Reply(body=view, etag=f"{row['revision']}{'' if sent else '-bare'}")

    async def raw(call: Call[None, None]) -> Reply:
        row = await found(call.ids["deliveryId"])
        if row["channel"] == "mail":
            authorize(call.principal, REPORTS)
        sent = await content(row)
        if sent is None:
            raise NotFound("CONTENT_ERASED", "What this delivery said is gone.")
        kind = "message/rfc822" if row["channel"] == "mail" else "application/json"
        return Reply(body=sent, headers={"Content-Type": kind})

    async def cancel(call: Call[None, None]) -> Reply:
        command = Cancel(delivery_id=call.ids["deliveryId"])
        return Reply(position=(await commands.execute(command, intent(call, clock, command))).cursor)

    async def resend(call: Call[None, None]) -> Reply:
        id = call.ids["deliveryId"]
        command = Resend(delivery_id=id, at=clock())
        return Reply(position=(await commands.execute(command, intent(call, clock, id))).cursor)

    return (
        Endpoint(
            method="GET",
            path="/v1/outbox",
            handle=listing,
            summary="List mails and calls of webhooks, newest first",
            tag="outbox",
            scope="notifications:read",
            query=OutboxQuery,
            answer=Page[DeliveryView],
        ),
        Endpoint(
            method="GET",
            path="/v1/outbox/{deliveryId}",
            handle=show,
            summary="A mail or a call, with every attempt and what it says",
            description=f"What a mail says is a report: shown to who holds `{REPORTS}`, too.",
            tag="outbox",
            scope="notifications:read",
            answer=DeliveryDetail,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path="/v1/outbox/{deliveryId}/raw",
            handle=raw,
            summary="The mail itself, as it is sent",
            description=f"A report: needs the scope `{REPORTS}`, too.",
            tag="outbox",
            scope="notifications:read",
            media_type="message/rfc822",
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/outbox/{deliveryId}/cancel",
            handle=cancel,
            summary="Do not send it",
            tag="outbox",
            scope="notifications:write",
            status=204,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST",
            path="/v1/outbox/{deliveryId}/resend",
            handle=resend,
            summary="Send it now: one that failed, was kept or cancelled, or waits for its next attempt",
            description="A mail keeps its Message-ID, a call its id.",
            tag="outbox",
            scope="notifications:write",
            status=202,
            refusals=(NotFound, Conflict),
        ),
    )
