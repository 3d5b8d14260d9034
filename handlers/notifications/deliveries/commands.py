"""What may be asked of a delivery: by handlers, and by people."""

from datetime import datetime
from uuid import UUID

from events.notifications import Channel, Subject
from handlers.commands import Command


class RequestDelivery(Command, frozen=True, kw_only=True):
    delivery_id: UUID
    channel: Channel
    kind: Subject
    recipient: str
    subject: str
    blob: str
    size: int
    message_id: str
    notification_id: UUID | None = None
    source: UUID | None = None
    job_id: UUID | None = None
    webhook_id: UUID | None = None
    edition: int | None = None
    at: datetime | None = None
    """When an edition is sent to who was to have an earlier one, and has had none."""


class Begin(Command, frozen=True, kw_only=True):
    """It is about to be sent, because its turn has come."""

    delivery_id: UUID
    turn: int


class Keep(Begin, frozen=True, kw_only=True):
    """Its turn has come, and there is no mail server."""


class RecordSent(Command, frozen=True, kw_only=True):
    delivery_id: UUID
    attempt: int
    receipt: str
    recipient: str
    sent_at: datetime


class RecordFailure(Command, frozen=True, kw_only=True):
    """It was not sent, or nobody knows; without `retry_at` it is not tried again."""

    delivery_id: UUID
    attempt: int
    code: str
    detail: str
    retry_at: datetime | None
    uncertain: bool = False


class GiveUp(Command, frozen=True, kw_only=True):
    delivery_id: UUID
    code: str
    detail: str


class Withdraw(Command, frozen=True, kw_only=True):
    """Another one is sent instead, unless this one is on its way."""

    delivery_id: UUID


class Cancel(Command, frozen=True, kw_only=True):
    delivery_id: UUID


class Resend(Command, frozen=True, kw_only=True):
    delivery_id: UUID
    at: datetime


class DeleteDelivery(Command, frozen=True, kw_only=True):
    delivery_id: UUID


Effect = RequestDelivery | Begin | Keep | RecordSent | RecordFailure | GiveUp | Withdraw | DeleteDelivery
Wish = Cancel | Resend
DeliveryCommand = Effect | Wish
