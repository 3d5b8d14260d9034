"""What people are told, and how: in the application, by mail and by webhook, with the ledger of what has left."""

from datetime import datetime
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID

from events.envelope import Event

Kind: TypeAlias = Literal["session_complete", "discrepancies", "error"]
"""What notifications are about."""
Subject: TypeAlias = Literal["session_complete", "discrepancies", "error", "test"]
"""What deliveries are about."""
Channel: TypeAlias = Literal["mail", "webhook"]


class NotificationEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "notifications"
    aggregate: ClassVar[str] = "notification"
    notification_id: UUID


class NotificationRaised(NotificationEvent, frozen=True, kw_only=True):
    """There is something to be told."""

    kind: Kind
    source: UUID
    """The session it is about."""
    title: str
    detail: str
    job_id: UUID | None = None
    edition: int | None = None
    """Of the report that it tells of, if it does."""


class NotificationRead(NotificationEvent, frozen=True, kw_only=True):
    """Somebody has read it."""

    reader: str
    """Whoever asked, such as `key:<id>`: each has a state of their own."""


class NotificationMoved(NotificationEvent, frozen=True, kw_only=True):
    """What it is about belongs to another job."""

    job_id: UUID | None = None
    as_of: int
    """The position of the session's event that says so: of several, the newest counts."""


class NotificationDeleted(NotificationEvent, frozen=True, kw_only=True):
    """What it was about is gone, and so is the notification."""

    source: UUID | None = None
    job_id: UUID | None = None


class InboxRead(Event, frozen=True, kw_only=True):
    """Somebody has read everything up to a position of the log."""

    context: ClassVar[str] = "notifications"
    aggregate: ClassVar[str] = "inbox"
    inbox_id: UUID
    reader: str
    up_to: int


class SourceEvent(Event, frozen=True, kw_only=True):
    """What is told about one session: so that its deletion reaches all of it, also what is only on its way."""

    context: ClassVar[str] = "notifications"
    aggregate: ClassVar[str] = "source"
    source_id: UUID
    notifications: tuple[UUID, ...] = ()
    deliveries: tuple[UUID, ...] = ()


class SourceTold(SourceEvent, frozen=True, kw_only=True):
    """These notifications and deliveries are about to be made."""


class SourceDeleted(SourceEvent, frozen=True, kw_only=True):
    """The session is gone: all of these go, and nothing more is told."""


class DeliveryEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "notifications"
    aggregate: ClassVar[str] = "delivery"
    delivery_id: UUID


class DeliveryRequested(DeliveryEvent, frozen=True, kw_only=True):
    """Somebody outside is to be told something."""

    channel: Channel
    kind: Subject
    recipient: str
    """A mail address, or the URL of a webhook."""
    subject: str
    blob: str
    """Blob key of what is sent, as it is sent: a whole mail, or the body of a request."""
    size: int
    message_id: str
    """The Message-ID of every copy of the mail; for a webhook, the id that its receiver can know a repetition by."""
    notification_id: UUID | None = None
    source: UUID | None = None
    job_id: UUID | None = None
    webhook_id: UUID | None = None
    edition: int | None = None
    """Of the report that it brings, if it does."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DeliveryReplaced(DeliveryEvent, frozen=True, kw_only=True):
    """It has not left, and there is a later edition: that is what will be sent."""

    edition: int
    subject: str
    blob: str
    """Blob key of what is sent instead."""
    size: int
    message_id: str
    notification_id: UUID | None = None
    job_id: UUID | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DeliveryAttempted(DeliveryEvent, frozen=True, kw_only=True):
    """It is going to be sent now. Whatever happens from here on, this is known."""

    attempt: int


class DeliverySent(DeliveryEvent, frozen=True, kw_only=True):
    """The other side has taken it."""

    attempt: int
    receipt: str
    """What the other side said."""
    recipient: str
    sent_at: datetime


class DeliveryFailed(DeliveryEvent, frozen=True, kw_only=True):
    """The other side has not taken it."""

    attempt: int
    code: str
    detail: str


class DeliveryUncertain(DeliveryEvent, frozen=True, kw_only=True):
    """It may have been taken: we, or the connection, broke off before the answer was recorded."""

    attempt: int
    code: str
    detail: str


class DeliveryRescheduled(DeliveryEvent, frozen=True, kw_only=True):
    """It will be sent at that time."""

    channel: Channel
    turn: int
    """Counts the times at which it was to be sent; what an earlier one was to do is void."""
    due_at: datetime
    asked: bool = False
    """Somebody wants it sent again, or at once."""


class DeliveryKept(DeliveryEvent, frozen=True, kw_only=True):
    """There is no mail server: it was rendered, and is kept to be looked at."""


class DeliveryCancelled(DeliveryEvent, frozen=True, kw_only=True):
    """Somebody does not want it sent any more, or another one in its place."""


class DeliveryGaveUp(DeliveryEvent, frozen=True, kw_only=True):
    """It is not tried again: refused for good, or every attempt failed."""

    code: str
    detail: str
    uncertain: bool = False
    """One of the attempts may have reached the other side."""


class DeliveryDeleted(DeliveryEvent, frozen=True, kw_only=True):
    """What it said is gone. Of what has, or may have, left the house the bare effect is kept: to whom and when."""

    source: UUID | None = None
    channel: Channel | None = None
    recipient: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    receipt: str | None = None
    attempts: int = 0
    uncertain: bool = False


class WebhookEvent(Event, frozen=True, kw_only=True):
    """An address that wants to be called. Its secret is derived from its id and generation, and never written."""

    context: ClassVar[str] = "notifications"
    aggregate: ClassVar[str] = "webhook"
    webhook_id: UUID


class WebhookAdded(WebhookEvent, frozen=True, kw_only=True):
    """Somebody wants to be called."""

    url: str
    kinds: tuple[Kind, ...] = ()
    """None of them means all."""
    job_ids: tuple[UUID, ...] = ()
    """None of them means all."""
    description: str = ""
    active: bool = True


class WebhookChanged(WebhookAdded, frozen=True, kw_only=True):
    """From now on it is like this."""


class WebhookSecretRotated(WebhookEvent, frozen=True, kw_only=True):
    """What is signed from now on is signed with another secret."""

    generation: int


class WebhookDeleted(WebhookEvent, frozen=True, kw_only=True):
    """It is not called any more."""


NOTIFICATIONS_EVENTS = (
    NotificationRaised,
    NotificationRead,
    NotificationMoved,
    NotificationDeleted,
    InboxRead,
    SourceTold,
    SourceDeleted,
    DeliveryRequested,
    DeliveryReplaced,
    DeliveryAttempted,
    DeliverySent,
    DeliveryFailed,
    DeliveryUncertain,
    DeliveryRescheduled,
    DeliveryKept,
    DeliveryCancelled,
    DeliveryGaveUp,
    DeliveryDeleted,
    WebhookAdded,
    WebhookChanged,
    WebhookSecretRotated,
    WebhookDeleted,
)
