"""The read model of `notifications`: what is told and read, what was sent to whom, and who wants to be called."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
from events.notifications import (
    DeliveryEvent,
    InboxRead,
    NotificationDeleted,
    NotificationEvent,
    NotificationMoved,
    NotificationRaised,
    NotificationRead,
    WebhookAdded,
    WebhookDeleted,
    WebhookEvent,
    WebhookSecretRotated,
)
from projections.changes import Change, Table, delete, patch, upsert
from projections.notifications_outbox import ATTEMPTS, DELIVERIES, outbox
from projections.projection import Projection

NOTICES = Table(
    "notifications",
    {
        "id": "uuid",
        "kind": "text not null",
        "source": "uuid not null",
        "job_id": "uuid",
        "title": "text not null",
        "detail": "text not null",
        "raised_at": "timestamptz not null",
        "position": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (job_id, position)",
        "create index on {table} (source)",
    ),
)

READINGS = Table(
    "readings",
    {"notification_id": "uuid", "reader": "text", "read_at": "timestamptz not null"},
    key=("notification_id", "reader"),
)

INBOXES = Table(
    "inboxes",
    {"reader": "text", "up_to": "bigint not null", "read_at": "timestamptz not null"},
    key=("reader",),
)

WEBHOOKS = Table(
    "webhooks",
    {
        "id": "uuid",
        "url": "text not null",
        "kinds": "jsonb not null",
        "job_ids": "jsonb not null",
        "description": "text not null",
        "active": "boolean not null",
        "generation": "int not null default 1",
        "added_at": "timestamptz",
        "updated_at": "timestamptz not null",
        "position": "bigint",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=("create index on {table} (position)",),
)


def rows(recorded: Recorded[Any], _: None) -> Iterator[Change]:
    """What an event of `notifications` does to the tables."""
    match recorded.event:
        case NotificationEvent() as e:
            yield from _notification(e, recorded)
        case InboxRead() as e:
            yield upsert(INBOXES, reader=e.reader, up_to=e.up_to, read_at=recorded.at)
        case DeliveryEvent() as e:
            yield from outbox(e, recorded)
        case WebhookEvent() as e:
            yield from _webhook(e, recorded)


def _notification(event: NotificationEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    match event:
        case NotificationRaised() as e:
            yield upsert(
                NOTICES,
                id=e.notification_id,
                kind=e.kind,
                source=e.source,
                job_id=e.job_id,
                title=e.title,
                detail=e.detail,
                raised_at=recorded.at,
                position=recorded.position,
            )
        case NotificationRead() as e:
            yield upsert(READINGS, notification_id=e.notification_id, reader=e.reader, read_at=recorded.at)
        case NotificationMoved() as e:
            yield patch(NOTICES, id=e.notification_id, job_id=e.job_id)
        case NotificationDeleted() as e:
            yield delete(READINGS, notification_id=e.notification_id)
            yield delete(NOTICES, id=e.notification_id)


def _webhook(event: WebhookEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    touched = {"updated_at": recorded.at, "revision": recorded.position}
    match event:
        case WebhookAdded() as e:  # or changed, which says all of it again
            added = e.name == "added"
            yield (upsert if added else patch)(
                WEBHOOKS,
                id=e.webhook_id,
                url=e.url,
                kinds=msgspec.json.encode(e.kinds).decode(),
                job_ids=msgspec.json.encode(e.job_ids).decode(),
                description=e.description,
                active=e.active,
                **({"added_at": recorded.at, "position": recorded.position} if added else {}),
                **touched,
            )
        case WebhookSecretRotated() as e:
            yield patch(WEBHOOKS, id=e.webhook_id, generation=e.generation, **touched)
        case WebhookDeleted() as e:
            yield delete(WEBHOOKS, id=e.webhook_id)


NOTIFICATIONS = Projection(
    "notifications",
    1,
    "NOTIFICATIONS",
    (NOTICES, READINGS, INBOXES, DELIVERIES, ATTEMPTS, WEBHOOKS),
    rows,
)
