"""What a webhook is sent, and the headers with it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from events.notifications import Subject
from infra.webhooks.signing import HEADER, signature

MEDIA_TYPE = "application/json"


class Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a call. `id` is the same in each repetition of it."""

    id: UUID
    type: Subject
    created_at: datetime
    title: str
    detail: str
    notification_id: UUID | None = None
    session_id: UUID | None = None
    job_id: UUID | None = None


def headers(delivery: UUID, kind: Subject, body: bytes, *, secret: str, at: int) -> Mapping[str, str]:
    """Who calls, about what, and the proof."""
    return {
        "Content-Type": MEDIA_TYPE,
        "User-Agent": "Headwater-Webhooks/1",
        "Headwater-Event": kind,
        "Headwater-Delivery": str(delivery),
        HEADER: signature(secret, body, at),
    }
