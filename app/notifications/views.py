"""What `notifications` answers, as the structs that OpenAPI shows."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from events.notifications import Channel, Kind, Subject

Status = Literal[
    "pending", "sending", "retrying", "uncertain", "sent", "failed", "kept", "cancelled", "deleted"
]


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class NotificationView(_View, frozen=True, kw_only=True):
    """Something that happened. `read` is what the key that asks has done, whatever others have."""

    id: UUID
    kind: Kind
    session_id: UUID
    job_id: UUID | None
    title: str
    detail: str
    raised_at: datetime
    read: bool


class UnreadCount(_View, frozen=True, kw_only=True):
    unread: int
    by_kind: dict[str, int]


class AttemptView(_View, frozen=True, kw_only=True):
    """One time that it was sent, and how that ended."""

    n: int
    outcome: Literal["sending", "sent", "failed", "uncertain"]
    started_at: datetime
    ended_at: datetime | None
    code: str | None
    detail: str | None


class DeliveryView(_View, frozen=True, kw_only=True):
    """A mail or a call of a webhook: what was sent to whom, when, and what the other side said.

    `uncertain` says that it may have arrived more often than the receipts show; the Message-ID is the same each time.
    Of one that was deleted, only to whom it went and when is left.
    """

    id: UUID
    status: Status
    channel: Channel
    kind: Subject | None
    recipient: str
    subject: str | None
    message_id: str
    size: int | None
    notification_id: UUID | None
    session_id: UUID | None
    job_id: UUID | None
    webhook_id: UUID | None
    attempts: int
    uncertain: bool
    receipt: str | None
    error_code: str | None
    error_detail: str | None
    requested_at: datetime | None
    due_at: datetime | None
    """When it is tried next."""
    sent_at: datetime | None
    updated_at: datetime


class DeliveryDetail(DeliveryView, frozen=True, kw_only=True):
    """With every attempt and, of mail, what it shows to who may read reports."""

    history: tuple[AttemptView, ...]
    text: str | None = None
    html: str | None = None
    body: str | None = None
    """What a webhook is sent."""
    raw_url: str | None = None


class WebhookView(_View, frozen=True, kw_only=True):
    """An address that is called. Its secret was shown when it was made."""

    id: UUID
    url: str
    kinds: tuple[Kind, ...]
    """Empty for all."""
    job_ids: tuple[UUID, ...]
    """Empty for all."""
    description: str
    active: bool
    added_at: datetime | None = None
    updated_at: datetime | None = None


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    secret: str
    """Shown this once. Calls carry `Headwater-Signature: t=…,v1=…`, the HMAC-SHA256 of `<t>.<body>` under it."""


class SecretView(_View, frozen=True, kw_only=True):
    secret: str
    """Shown this once; the one before signs no more calls."""


class TestView(_View, frozen=True, kw_only=True):
    """A call that is on its way: `GET /v1/outbox/{deliveryId}` says what became of it."""

    delivery_id: UUID
