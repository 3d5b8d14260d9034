"""Sending: the one place where something leaves the house."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from events.envelope import Key, Recorded
from events.notifications import DeliveryRequested, DeliveryRescheduled
from handlers.handler import Attempt, Failure, Handler, NotYet
from handlers.notifications.deliveries.commands import Begin, GiveUp, Keep, RecordFailure, RecordSent
from handlers.notifications.deliveries.decide import Absent, Delivery, State, evolve
from handlers.notifications.deliveries.schedule import Schedule
from handlers.notifications.webhooks.body import headers
from handlers.notifications.webhooks.registry import Webhooks
from infra.blobs import BlobCorrupt, BlobMissing, Blobs
from infra.delivery import Undelivered
from infra.jetstream import ApiError, LogUnavailable
from infra.log import Log
from infra.mail import Mailer
from infra.webhooks.calling import Caller
from infra.webhooks.signing import secret_of

LARGEST = 32 << 20
"""Bytes of a rendered mail."""
Report = RecordSent | RecordFailure


@dataclass(frozen=True)
class Posts:
    """What deliveries leave by, and when they are tried again. Without a mailer, mail is kept."""

    mailer: Mailer | None
    caller: Caller
    webhook_secret: bytes = field(repr=False)
    schedule: Schedule
    recipients: tuple[str, ...] = ()
    """Who gets the mail for which nobody is named."""


def deliverers(
    *, log: Log, blobs: Blobs, posts: Posts, webhooks: Webhooks, clock: Callable[[], datetime]
) -> tuple[Handler, ...]:
    """The handlers of `requested` and `rescheduled`."""

    def announce(recorded: Recorded[Any]) -> Begin | Keep:
        event, turn = recorded.event, 1
        if isinstance(event, DeliveryRescheduled):
            turn = event.turn
            if (left := (event.due_at - clock()).total_seconds()) > 0:
                raise NotYet(left)
        kept = event.channel == "mail" and posts.mailer is None
        return (Keep if kept else Begin)(delivery_id=event.delivery_id, turn=turn)

    async def deliver(recorded: Recorded[Any], _: Attempt) -> Report | None:
        delivery = await _delivery(log, recorded.event.key)
        return await _sent(delivery) if delivery else None

    async def _sent(delivery: Delivery) -> Report | None:
        if delivery.status != "sending":
            return None  # kept, or deleted meanwhile
        request = delivery.request
        try:
            content = await _content(blobs, request.blob)
            receipt, recipient = await _send(request, content)
        except Undelivered as failure:
            return _failure(delivery, failure)
        return RecordSent(
            delivery_id=request.delivery_id,
            attempt=delivery.attempts,
            receipt=receipt,
            recipient=recipient,
            sent_at=clock(),
        )

    async def _send(request: DeliveryRequested, content: bytes) -> tuple[str, str]:
        """The receipt, and to whom it went. Raises `Undelivered`."""
        if request.channel == "webhook":
            return await _call(request, content)
        if posts.mailer is None:
            raise Undelivered("NO_MAIL_SERVER", "There is no mail server any more.", final=True)
        return await posts.mailer.send(request.recipient, content), request.recipient

    async def _call(request: DeliveryRequested, body: bytes) -> tuple[str, str]:
        try:
            webhook = (await webhooks.current()).get(request.webhook_id or UUID(int=0))
        except (LogUnavailable, ApiError) as away:
            raise Undelivered("LOG_UNAVAILABLE", "The log does not answer.") from away
        if webhook is None or not webhook.wish.active:
            raise Undelivered("WEBHOOK_GONE", "The webhook was removed or switched off.", final=True)
        secret = secret_of(posts.webhook_secret, webhook.wish.webhook_id, webhook.generation)
        at = int(clock().timestamp())
        told = headers(request.delivery_id, request.kind, body, secret=secret, at=at)
        return await posts.caller.call(webhook.wish.url, body, told), webhook.wish.url

    def _failure(delivery: Delivery, failure: Undelivered) -> RecordFailure:
        id, attempt = delivery.request.delivery_id, delivery.attempts
        return RecordFailure(
            delivery_id=id,
            attempt=attempt,
            code=failure.code,
            detail=failure.detail,
            retry_at=None if failure.final else posts.schedule.retry_at(id, attempt, clock()),
            uncertain=failure.uncertain,
        )

    def give_up(recorded: Recorded[Any], failure: Failure) -> GiveUp:
        return GiveUp(
            delivery_id=recorded.event.delivery_id,
            code="DELIVERY_FAILED",
            detail=f"It is among the dead letters. {failure.error}",
        )

    def on(event: type[Any], name: str) -> Handler:
        return Handler(
            name=name,
            on=event,
            effect=deliver,
            announce=announce,
            give_up=give_up,
            timeout=180,
            concurrency=8,
        )

    return on(DeliveryRequested, "deliver"), on(DeliveryRescheduled, "deliver_again")


async def _delivery(log: Log, key: Key) -> Delivery | None:
    """Patient: it was said that it is sent, and to leave now would leave that in doubt."""
    while True:
        try:
            history = await log.load(key)
            break
        except LogUnavailable:
            await asyncio.sleep(0.5)
    begin: State = Absent()
    state = reduce(evolve, (each.event for each in history), begin)  # type: ignore[arg-type]  # of this key
    return state if isinstance(state, Delivery) else None


async def _content(blobs: Blobs, key: str) -> bytes:
    try:
        return await blobs.get(key, LARGEST)
    except BlobMissing as gone:
        raise Undelivered("ERASED", "What was to be sent is gone.", final=True) from gone
    except BlobCorrupt as damaged:
        raise Undelivered("DAMAGED", "What was to be sent is damaged.", final=True) from damaged
    except ConnectionError as away:
        raise Undelivered("BLOBS_UNAVAILABLE", "The blob store does not answer.") from away
