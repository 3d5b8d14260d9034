"""From a notification to the webhooks that want to hear of it."""

from uuid import UUID

import msgspec

from events.envelope import Recorded
from events.ids import derived_id
from events.notifications import NotificationRaised
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.notifications.deliveries.commands import RequestDelivery
from handlers.notifications.telling import telling
from handlers.notifications.webhooks.body import MEDIA_TYPE, Told
from handlers.notifications.webhooks.decide import Webhook
from handlers.notifications.webhooks.registry import Webhooks
from infra.blobs import Blobs, once


def poster(*, blobs: Blobs, webhooks: Webhooks) -> Handler:
    """The handler of `raised`."""

    async def post(recorded: Recorded[NotificationRaised], _: Attempt) -> list[Command]:
        event = recorded.event
        known = (await webhooks.current()).items()
        wanted = [(id, webhook) for id, webhook in known if webhook.wants(event.kind, event.job_id)]
        return telling(event.source, deliveries=[await _request(recorded, *each) for each in wanted])

    async def _request(recorded: Recorded[NotificationRaised], id: UUID, webhook: Webhook) -> RequestDelivery:
        event, delivery = recorded.event, derived_id(recorded.id, "webhook", str(id))
        body = Told(
            id=delivery,
            type=event.kind,
            created_at=recorded.at,
            title=event.title,
            detail=event.detail,
            notification_id=event.notification_id,
            session_id=event.source,
            job_id=event.job_id,
        )
        stored = await blobs.put(once(msgspec.json.encode(body)), media_type=MEDIA_TYPE)
        return RequestDelivery(
            delivery_id=delivery,
            channel="webhook",
            kind=event.kind,
            recipient=webhook.wish.url,
            subject=event.title,
            blob=stored.key,
            size=stored.size,
            message_id=str(delivery),
            notification_id=event.notification_id,
            source=event.source,
            job_id=event.job_id,
            webhook_id=id,
        )

    return Handler(name="post_webhooks", on=NotificationRaised, effect=post, concurrency=4)
