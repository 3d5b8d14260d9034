"""HTTP of webhooks: who wants to be called."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.intents import created_id, intent
from app.notifications import queries
from app.notifications.views import NewWebhookView, SecretView, TestView, WebhookView
from events.envelope import Key
from events.ids import derived_id
from events.notifications import Kind, WebhookSecretRotated
from handlers.commands import Command, Commands
from handlers.notifications.deliveries.commands import RequestDelivery
from handlers.notifications.webhooks.body import MEDIA_TYPE, Told
from handlers.notifications.webhooks.decide import AddWebhook, ChangeWebhook, DeleteWebhook, RotateSecret
from handlers.refusals import Conflict, Invalid, NotFound
from infra.blobs import Blobs, once
from infra.log import Log
from infra.webhooks.addresses import ForbiddenAddress, PublicResolver, check_url
from infra.webhooks.signing import secret_of

LOOKUP = 3.0
"""Seconds for looking up the name in a URL; a name that cannot be looked up now may be one later."""

Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000)]
Kinds = Annotated[tuple[Kind, ...], msgspec.Meta(max_length=10)]
Jobs = Annotated[tuple[UUID, ...], msgspec.Meta(max_length=200)]
Description = Annotated[str, msgspec.Meta(max_length=200)]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whom to call, and about what: no kinds or no jobs mean all of them."""

    url: Url
    kinds: Kinds = ()
    job_ids: Jobs = ()
    description: Description = ""
    active: bool = True


class WebhookPatch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is left out stays as it is."""

    url: Url | None = None
    kinds: Kinds | None = None
    job_ids: Jobs | None = None
    description: Description | None = None
    active: bool | None = None


class WebhooksQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which webhooks to list, oldest first."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


async def check(url: str, *, allow_private: bool) -> None:
    """Refuses what will never be called, also where a name leads there today. Raises `Invalid`."""
    try:
        target = check_url(url, allow_private=allow_private)
        if not allow_private and target.host:
            async with asyncio.timeout(LOOKUP):
                await PublicResolver().resolve(target.host, target.port or 443)
    except ForbiddenAddress as forbidden:
        raise Invalid(forbidden.code, forbidden.detail, field="url") from forbidden
    except ValueError as wrong:
        raise Invalid("INVALID_URL", f"The URL {wrong}.", field="url") from wrong
    except OSError:  # no such name, or no answer: each call looks again
        return


def endpoints(
    *,
    commands: Commands,
    log: Log,
    db: asyncpg.Pool,
    blobs: Blobs,
    exists: Callable[[Key], Awaitable[bool]],
    secret: bytes,
    allow_private: bool,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of webhooks. `secret` is what their secrets are derived from."""

    async def add(call: Call[None, WebhookBody]) -> Reply:
        await check(call.body.url, allow_private=allow_private)
        made = intent(call, clock, call.body)
        id = created_id(made, "webhook")
        fields = msgspec.structs.asdict(call.body)
        outcome = await commands.execute(AddWebhook(webhook_id=id, **fields), made, fresh=True)
        at = (await found(id)).added_at if outcome.repeated else made.at
        view = NewWebhookView(id=id, added_at=at, updated_at=at, secret=secret_of(secret, id, 1), **fields)
        headers = {"Cache-Control": "no-store", "Location": f"/v1/webhooks/{id}"}
        return Reply(body=view, position=outcome.cursor, headers=headers)

    async def found(id: UUID) -> WebhookView:
        view = await queries.webhook(db, id)
        if view is None and await exists(Key("notifications", "webhook", id)):
            view = await queries.webhook(db, id)
        if view is None:
            raise NotFound("WEBHOOK_NOT_FOUND", f"There is no webhook {id}.")
        return view

    async def listing(call: Call[WebhooksQuery, None]) -> Reply:
        q = call.query
        after = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None
        rows = await queries.webhooks(db, after=after, limit=q.limit + 1)
        more = to_cursor(rows[q.limit - 1][1]) if len(rows) > q.limit else None
        return Reply(body=Page([each for each, _ in rows[: q.limit]], more))

    async def show(call: Call[None, None]) -> Reply:
        view = await found(call.ids["webhookId"])
        return Reply(body=view, etag=version_of(view))

    async def done(call: Call[Any, Any], command: Command) -> Reply:
        return Reply(position=(await commands.execute(command, intent(call, clock, command))).cursor)

    async def change(call: Call[None, WebhookPatch]) -> Reply:
        if call.body.url is not None:
            await check(call.body.url, allow_private=allow_private)
        fields = msgspec.structs.asdict(call.body)
        return await done(call, ChangeWebhook(webhook_id=call.ids["webhookId"], **fields))

    async def remove(call: Call[None, None]) -> Reply:
        return await done(call, DeleteWebhook(webhook_id=call.ids["webhookId"]))

    async def rotate(call: Call[None, None]) -> Reply:
        id = call.ids["webhookId"]
        outcome = await commands.execute(RotateSecret(webhook_id=id), intent(call, clock, id))
        rotated = await log.at(outcome.stream, outcome.position)
        if rotated is None or not isinstance(event := rotated.event, WebhookSecretRotated):
            raise NotFound("WEBHOOK_NOT_FOUND", f"There is no webhook {id} any more.")
        view = SecretView(secret=secret_of(secret, id, event.generation))
        return Reply(body=view, position=outcome.cursor, headers={"Cache-Control": "no-store"})

    async def test(call: Call[None, None]) -> Reply:
        webhook = await found(call.ids["webhookId"])
        made = intent(call, clock, webhook.id)
        delivery = derived_id(made.command_id, "test")
        title = "A test of this webhook"
        detail = "Nothing has happened; somebody wanted to see whether calls arrive."
        told = Told(id=delivery, type="test", created_at=made.at, title=title, detail=detail)
        stored = await blobs.put(once(msgspec.json.encode(told)), media_type=MEDIA_TYPE)
        command = RequestDelivery(
            delivery_id=delivery,
            channel="webhook",
            kind="test",
            recipient=webhook.url,
            subject=title,
            blob=stored.key,
            size=stored.size,
            message_id=str(delivery),
            webhook_id=webhook.id,
        )
        outcome = await commands.execute(command, made, fresh=True)
        return Reply(body=TestView(delivery_id=delivery), position=outcome.cursor)

    return (
        Endpoint(
            method="POST",
            path="/v1/webhooks",
            handle=add,
            summary="Have an address called when something happens",
            description="The secret is shown this once. Calls are signed with it: see the answer's `secret`.",
            tag="webhooks",
            scope="notifications:write",
            body=WebhookBody,
            example=WebhookBody(url="https://office.example.com/headwater", kinds=("session_complete",)),
            answer=NewWebhookView,
            status=201,
            refusals=(Conflict, Invalid),
        ),
        Endpoint(
            method="GET",
            path="/v1/webhooks",
            handle=listing,
            summary="List webhooks, oldest first",
            tag="webhooks",
            scope="notifications:read",
            query=WebhooksQuery,
            answer=Page[WebhookView],
        ),
        Endpoint(
            method="GET",
            path="/v1/webhooks/{webhookId}",
            handle=show,
            summary="A webhook",
            tag="webhooks",
            scope="notifications:read",
            answer=WebhookView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="PATCH",
            path="/v1/webhooks/{webhookId}",
            handle=change,
            summary="Change a webhook, or switch it off or on",
            tag="webhooks",
            scope="notifications:write",
            body=WebhookPatch,
            status=204,
            refusals=(NotFound, Invalid),
        ),
        Endpoint(
            method="DELETE",
            path="/v1/webhooks/{webhookId}",
            handle=remove,
            summary="Remove a webhook; what waits for it fails",
            tag="webhooks",
            scope="notifications:write",
            status=204,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/webhooks/{webhookId}/rotate",
            handle=rotate,
            summary="Sign with a new secret from now on",
            tag="webhooks",
            scope="notifications:write",
            answer=SecretView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/webhooks/{webhookId}/test",
            handle=test,
            summary="Call it once, to see whether that works",
            tag="webhooks",
            scope="notifications:write",
            answer=TestView,
            status=202,
            refusals=(NotFound,),
        ),
    )
