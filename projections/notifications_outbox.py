"""The ledger of what leaves the house: every mail and every call, with each attempt and its end."""

from collections.abc import Iterator
from typing import Any

from events.envelope import Recorded
from events.notifications import (
    DeliveryAttempted,
    DeliveryCancelled,
    DeliveryDeleted,
    DeliveryEvent,
    DeliveryFailed,
    DeliveryGaveUp,
    DeliveryKept,
    DeliveryReplaced,
    DeliveryRequested,
    DeliveryRescheduled,
    DeliverySent,
    DeliveryUncertain,
)
from projections.changes import Change, Table, delete, patch, upsert

DELIVERIES = Table(
    "deliveries",
    {
        "id": "uuid",
        "status": "text not null",
        "channel": "text not null",
        "kind": "text",
        "recipient": "text not null",
        "subject": "text",
        "message_id": "text not null",
        "blob": "text",
        "size": "bigint",
        "notification_id": "uuid",
        "source": "uuid",
        "job_id": "uuid",
        "webhook_id": "uuid",
        "attempts": "int not null",
        "uncertain": "boolean not null",
        "receipt": "text",
        "error_code": "text",
        "error_detail": "text",
        "requested_at": "timestamptz",
        "due_at": "timestamptz",
        "sent_at": "timestamptz",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (status, position)",
        "create index on {table} (source)",
    ),
)

ATTEMPTS = Table(
    "attempts",
    {
        "delivery_id": "uuid",
        "n": "int",
        "outcome": "text not null",
        "started_at": "timestamptz not null",
        "ended_at": "timestamptz",
        "code": "text",
        "detail": "text",
    },
    key=("delivery_id", "n"),
)


def outbox(event: DeliveryEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    """What happens to a delivery, as rows."""
    id, at = event.delivery_id, recorded.at
    touched = {"updated_at": at, "revision": recorded.position}
    match event:
        case DeliveryRequested() as e:
            yield _requested(e, recorded)
        case DeliveryReplaced() as e:
            yield patch(
                DELIVERIES,
                id=id,
                subject=e.subject,
                message_id=e.message_id,
                blob=e.blob,
                size=e.size,
                notification_id=e.notification_id,
                job_id=e.job_id,
                **touched,
            )
        case DeliveryAttempted() as e:
            yield patch(DELIVERIES, id=id, status="sending", attempts=e.attempt, due_at=None, **touched)
            yield upsert(ATTEMPTS, delivery_id=id, n=e.attempt, outcome="sending", started_at=at)
        case DeliverySent() as e:
            yield patch(
                DELIVERIES,
                id=id,
                status="sent",
                receipt=e.receipt,
                recipient=e.recipient,
                sent_at=e.sent_at,
                due_at=None,
                error_code=None,
                error_detail=None,
                **touched,
            )
            yield patch(ATTEMPTS, delivery_id=id, n=e.attempt, outcome="sent", ended_at=at, detail=e.receipt)
        case DeliveryFailed() | DeliveryUncertain() as e:
            yield from _failed(e, recorded)
        case DeliveryRescheduled() as e:
            status = {"status": "pending"} if e.asked else {}
            yield patch(DELIVERIES, id=id, due_at=e.due_at, **status, **touched)
        case DeliveryKept() | DeliveryCancelled():
            yield patch(DELIVERIES, id=id, status=event.name, due_at=None, **touched)
        case DeliveryGaveUp() as e:
            yield patch(
                DELIVERIES,
                id=id,
                status="uncertain" if e.uncertain else "failed",
                due_at=None,
                error_code=e.code,
                error_detail=e.detail,
                **touched,
            )
        case DeliveryDeleted() as e:
            yield delete(ATTEMPTS, delivery_id=id)
            yield delete(DELIVERIES, id=id)
            yield from _bare(e, recorded)


def _requested(e: DeliveryRequested, recorded: Recorded[Any]) -> Change:
    return upsert(
        DELIVERIES,
        id=e.delivery_id,
        status="pending",
        channel=e.channel,
        kind=e.kind,
        recipient=e.recipient,
        subject=e.subject,
        message_id=e.message_id,
        blob=e.blob,
        size=e.size,
        notification_id=e.notification_id,
        source=e.source,
        job_id=e.job_id,
        webhook_id=e.webhook_id,
        attempts=0,
        uncertain=False,
        requested_at=recorded.at,
        updated_at=recorded.at,
        position=recorded.position,
        revision=recorded.position,
    )


def _failed(e: DeliveryFailed | DeliveryUncertain, recorded: Recorded[Any]) -> Iterator[Change]:
    """An attempt that may have reached the other side marks the delivery for good, whatever follows."""
    doubtful = isinstance(e, DeliveryUncertain)
    yield patch(
        DELIVERIES,
        id=e.delivery_id,
        status="uncertain" if doubtful else "retrying",
        **({"uncertain": True} if doubtful else {}),
        error_code=e.code,
        error_detail=e.detail,
        updated_at=recorded.at,
        revision=recorded.position,
    )
    yield patch(
        ATTEMPTS,
        delivery_id=e.delivery_id,
        n=e.attempt,
        outcome="uncertain" if doubtful else "failed",
        ended_at=recorded.at,
        code=e.code,
        detail=e.detail,
    )


def _bare(e: DeliveryDeleted, recorded: Recorded[Any]) -> Iterator[Change]:
    """Of what has, or may have, left the house: to whom and when, and nothing of what it said."""
    if e.channel is None or e.recipient is None or e.message_id is None:
        return
    yield upsert(
        DELIVERIES,
        id=e.delivery_id,
        status="deleted",
        channel=e.channel,
        recipient=e.recipient,
        message_id=e.message_id,
        source=e.source,
        attempts=e.attempts,
        uncertain=e.uncertain,
        receipt=e.receipt,
        sent_at=e.sent_at,
        updated_at=recorded.at,
        position=recorded.position,
        revision=recorded.position,
    )
