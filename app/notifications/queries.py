"""The SQL that reads notifications, the outbox and webhooks."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.notifications.views import AttemptView, DeliveryView, NotificationView, UnreadCount, WebhookView
from events.notifications import Kind

UNREAD = (
    "n.position > coalesce((select up_to from notifications.inboxes i where i.reader = $1), 0) and not exists "
    "(select from notifications.readings r where r.notification_id = n.id and r.reader = $1)"
)
"""What the reader $1 has not read, one by one or with all the others."""
DELIVERY = (
    "id, status, channel, kind, recipient, subject, message_id, size, notification_id, source as session_id, "
    "job_id, webhook_id, attempts, uncertain, receipt, error_code, error_detail, requested_at, due_at, sent_at, "
    "updated_at"
)
WEBHOOK = "id, url, kinds, job_ids, description, active, added_at, updated_at"


async def notifications(
    db: asyncpg.Pool,
    reader: str,
    *,
    unread: bool | None,
    kind: str | None,
    job_id: UUID | None,
    session_id: UUID | None,
    before: int | None,
    limit: int,
) -> list[tuple[NotificationView, int]]:
    """The newest before a position of the log, each with its own position."""
    rows = await db.fetch(
        "select id, kind, source as session_id, job_id, title, detail, raised_at, position, "  # noqa: S608
        f"not ({UNREAD}) as read from notifications.notifications n "
        f"where ($2::bool is null or ({UNREAD}) = $2) and ($3::text is null or kind = $3) "
        "and ($4::uuid is null or job_id = $4) and ($5::uuid is null or source = $5) "
        "and ($6::bigint is null or position < $6) order by position desc limit $7",
        reader,
        unread,
        kind,
        job_id,
        session_id,
        before,
        limit,
    )
    return [(_notification(row), row["position"]) for row in rows]


async def notification(db: asyncpg.Pool, reader: str, id: UUID) -> NotificationView | None:
    """One of them."""
    row = await db.fetchrow(
        "select id, kind, source as session_id, job_id, title, detail, raised_at, "  # noqa: S608
        f"not ({UNREAD}) as read from notifications.notifications n where id = $2",
        reader,
        id,
    )
    return _notification(row) if row else None


def _notification(row: asyncpg.Record) -> NotificationView:
    return NotificationView(**{name: row[name] for name in NotificationView.__struct_fields__})


async def unread(db: asyncpg.Pool, reader: str) -> UnreadCount:
    """How many a reader has not read."""
    rows = await db.fetch(
        f"select kind, count(*) from notifications.notifications n where {UNREAD} group by kind",  # noqa: S608
        reader,
    )
    by_kind = {row["kind"]: row["count"] for row in rows}
    return UnreadCount(unread=sum(by_kind.values()), by_kind=by_kind)


async def newest(db: asyncpg.Pool) -> int:
    """The position of the newest notification that can be read."""
    return int(await db.fetchval("select coalesce(max(position), 0) from notifications.notifications"))


async def outbox(
    db: asyncpg.Pool,
    *,
    status: str | None,
    channel: str | None,
    recipient: str | None,
    session_id: UUID | None,
    webhook_id: UUID | None,
    before: int | None,
    limit: int,
) -> list[tuple[DeliveryView, int]]:
    """The newest deliveries before a position of the log, each with its own position."""
    rows = await db.fetch(
        f"select {DELIVERY}, position from notifications.deliveries "  # noqa: S608
        "where ($1::text is null or status = $1) and ($2::text is null or channel = $2) "
        "and ($3::text is null or lower(recipient) = lower($3)) and ($4::uuid is null or source = $4) "
        "and ($5::uuid is null or webhook_id = $5) and ($6::bigint is null or position < $6) "
        "order by position desc limit $7",
        status,
        channel,
        recipient,
        session_id,
        webhook_id,
        before,
        limit,
    )
    return [(delivery_view(row), row["position"]) for row in rows]


async def delivery(db: asyncpg.Pool, id: UUID) -> asyncpg.Record | None:
    """The row of a delivery."""
    return await db.fetchrow(
        f"select {DELIVERY}, blob, revision from notifications.deliveries where id = $1",  # noqa: S608
        id,
    )


def delivery_view(row: asyncpg.Record) -> DeliveryView:
    return DeliveryView(**{name: row[name] for name in DeliveryView.__struct_fields__})


async def attempts(db: asyncpg.Pool, id: UUID) -> tuple[AttemptView, ...]:
    """Each time that a delivery was sent, in order."""
    rows = await db.fetch(
        "select n, outcome, started_at, ended_at, code, detail from notifications.attempts "
        "where delivery_id = $1 order by n",
        id,
    )
    return tuple([AttemptView(**dict(row)) for row in rows])


async def webhooks(db: asyncpg.Pool, *, after: int | None, limit: int) -> list[tuple[WebhookView, int]]:
    """Webhooks in the order in which they were made, each with its position."""
    rows = await db.fetch(
        f"select {WEBHOOK}, position from notifications.webhooks "  # noqa: S608
        "where ($1::bigint is null or position > $1) order by position limit $2",
        after,
        limit,
    )
    return [(_webhook(row), row["position"]) for row in rows]


async def webhook(db: asyncpg.Pool, id: UUID) -> WebhookView | None:
    """One of them."""
    row = await db.fetchrow(f"select {WEBHOOK} from notifications.webhooks where id = $1", id)  # noqa: S608
    return _webhook(row) if row else None


def _webhook(row: asyncpg.Record) -> WebhookView:
    fields: dict[str, Any] = {name: row[name] for name in WebhookView.__struct_fields__}
    fields["kinds"] = msgspec.json.decode(row["kinds"], type=tuple[Kind, ...])
    fields["job_ids"] = msgspec.json.decode(row["job_ids"], type=tuple[UUID, ...])
    return WebhookView(**fields)


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Notifications by kind."""
    rows = await db.fetch("select kind, count(*) from notifications.notifications group by kind")
    return {row["kind"]: row["count"] for row in rows}


async def outbox_counts(db: asyncpg.Pool) -> dict[str, int]:
    """Deliveries by status."""
    rows = await db.fetch("select status, count(*) from notifications.deliveries group by status")
    return {row["status"]: row["count"] for row in rows}
