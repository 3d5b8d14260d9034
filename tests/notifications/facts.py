"""The facts of one delivery, one notification and one webhook, and the commands that lead to them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import structs

from events.notifications import (
    DeliveryAttempted,
    DeliveryFailed,
    DeliveryReplaced,
    DeliveryRequested,
    DeliveryRescheduled,
    DeliverySent,
    DeliveryUncertain,
    NotificationRaised,
)
from handlers.notifications.decide import RaiseNotification
from handlers.notifications.deliveries.commands import RecordFailure, RecordSent, RequestDelivery

NOTE, MAIL, SESSION, JOB, HOOK = (UUID(int=n) for n in range(1, 6))
MONDAY = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
LATER = MONDAY + timedelta(minutes=5)
ANN = "ann@example.com"

_NOTE: dict[str, Any] = {
    "notification_id": NOTE,
    "kind": "session_complete",
    "source": SESSION,
    "job_id": JOB,
    "title": "Boiler room",
    "detail": "Two items.",
}
_MAIL: dict[str, Any] = {
    "delivery_id": MAIL,
    "channel": "mail",
    "kind": "session_complete",
    "recipient": ANN,
    "subject": "Boiler room",
    "blob": "aa",
    "size": 100,
    "message_id": f"<{MAIL}@example.com>",
    "notification_id": NOTE,
    "source": SESSION,
    "job_id": JOB,
}

raise_it = RaiseNotification(**_NOTE)
RAISED = NotificationRaised(**_NOTE)
request = RequestDelivery(**_MAIL)
REQUESTED = DeliveryRequested(**_MAIL)
second = structs.replace(
    request, edition=2, subject="Boiler room: one item", blob="bb", size=90, notification_id=SESSION, at=LATER
)
REPLACED = DeliveryReplaced(
    delivery_id=MAIL,
    edition=2,
    subject="Boiler room: one item",
    blob="bb",
    size=90,
    message_id=f"<{MAIL}@example.com>",
    notification_id=SESSION,
    job_id=JOB,
)


def attempted(n: int = 1) -> DeliveryAttempted:
    return DeliveryAttempted(delivery_id=MAIL, attempt=n)


def sent(n: int = 1) -> RecordSent:
    return RecordSent(delivery_id=MAIL, attempt=n, receipt="250 OK", recipient=ANN, sent_at=MONDAY)


def was_sent(n: int = 1) -> DeliverySent:
    return DeliverySent(delivery_id=MAIL, attempt=n, receipt="250 OK", recipient=ANN, sent_at=MONDAY)


def fail(n: int = 1, *, retry_at: datetime | None = LATER, uncertain: bool = False) -> RecordFailure:
    return RecordFailure(
        delivery_id=MAIL, attempt=n, code="SMTP_451", detail="later", retry_at=retry_at, uncertain=uncertain
    )


def failed(n: int = 1) -> DeliveryFailed:
    return DeliveryFailed(delivery_id=MAIL, attempt=n, code="SMTP_451", detail="later")


def doubted(n: int = 1, *, code: str = "SMTP_451", detail: str = "later") -> DeliveryUncertain:
    return DeliveryUncertain(delivery_id=MAIL, attempt=n, code=code, detail=detail)


def rescheduled(turn: int = 2, *, at: datetime = LATER, asked: bool = False) -> DeliveryRescheduled:
    return DeliveryRescheduled(delivery_id=MAIL, channel="mail", turn=turn, due_at=at, asked=asked)
