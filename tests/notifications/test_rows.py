"""What the facts of notifications do to the rows that are read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Event, Intent, Recorded, to_headers
from events.notifications import (
    DeliveryCancelled,
    DeliveryDeleted,
    DeliveryGaveUp,
    DeliveryKept,
    InboxRead,
    NotificationDeleted,
    NotificationRead,
    WebhookAdded,
    WebhookChanged,
    WebhookDeleted,
    WebhookSecretRotated,
)
from projections.fold import Row, fold
from projections.notifications import rows
from tests.notifications.facts import (
    ANN,
    HOOK,
    JOB,
    LATER,
    MAIL,
    MONDAY,
    NOTE,
    RAISED,
    REPLACED,
    REQUESTED,
    SESSION,
    attempted,
    doubted,
    failed,
    rescheduled,
    was_sent,
)

Rows = Mapping[Any, Row]


def made_of(*events: Event) -> dict[str, Rows]:
    """The rows that these events fold into, by table, as if they were one batch."""
    changes = [change for n, event in enumerate(events, 1) for change in rows(recorded(event, n), None)]
    return {name: table.rows for name, table in fold(changes).items()}


def recorded(event: Event, position: int) -> Recorded[Any]:
    at = MONDAY + timedelta(minutes=position)
    intent = Intent(command_id=UUID(int=9), actor="key:ann", at=at, correlation_id=UUID(int=9))
    return Recorded(event, to_headers(event, UUID(int=position), intent), "NOTIFICATIONS", position)


def delivery(*events: Event) -> Mapping[str, Any]:
    return made_of(REQUESTED, *events)["deliveries"][(MAIL,)].upsert or {}


def test_a_notification_is_there_until_it_is_deleted_with_who_has_read_it() -> None:
    read = NotificationRead(notification_id=NOTE, reader="key:ann")
    made = made_of(RAISED, read)
    note = made["notifications"][(NOTE,)].upsert or {}
    assert (note["kind"], note["source"], note["job_id"], note["position"]) == (
        "session_complete",
        SESSION,
        JOB,
        1,
    )
    assert list(made["readings"]) == [(NOTE, "key:ann")]
    gone = made_of(RAISED, read, NotificationDeleted(notification_id=NOTE))
    assert gone["notifications"][(NOTE,)].upsert is None
    assert not gone["readings"]


def test_reading_all_is_one_row_for_each_reader() -> None:
    to = [InboxRead(inbox_id=UUID(int=9), reader="key:ann", up_to=each) for each in (3, 7)]
    assert (made_of(*to)["inboxes"][("key:ann",)].upsert or {})["up_to"] == 7


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), "pending"),
        ((attempted(),), "sending"),
        ((attempted(), was_sent()), "sent"),
        ((attempted(), failed(), rescheduled()), "retrying"),
        ((attempted(), doubted(), rescheduled()), "uncertain"),
        ((attempted(), failed(), DeliveryGaveUp(delivery_id=MAIL, code="c", detail="d")), "failed"),
        ((DeliveryKept(delivery_id=MAIL),), "kept"),
        ((DeliveryKept(delivery_id=MAIL), rescheduled(asked=True)), "pending"),
        ((DeliveryCancelled(delivery_id=MAIL),), "cancelled"),
    ],
)
def test_where_a_delivery_is(events: tuple[Event, ...], status: str) -> None:
    assert delivery(*events)["status"] == status


def test_a_doubt_stays_though_it_was_sent_in_the_end() -> None:
    row = delivery(attempted(), doubted(), rescheduled(), attempted(2), was_sent(2))
    assert (row["status"], row["uncertain"], row["attempts"], row["due_at"]) == ("sent", True, 2, None)
    assert (row["error_code"], row["receipt"]) == (None, "250 OK")
    assert delivery(attempted(), failed(), rescheduled())["due_at"] == LATER


def test_a_later_edition_takes_the_place_of_what_has_not_left() -> None:
    row = delivery(attempted(), failed(), rescheduled(), REPLACED)
    assert (row["subject"], row["blob"], row["size"], row["notification_id"]) == (
        "Boiler room: one item",
        "bb",
        90,
        SESSION,
    )
    assert (row["status"], row["due_at"], row["attempts"], row["position"]) == ("retrying", LATER, 1, 1)


def test_each_attempt_has_its_end() -> None:
    made = made_of(REQUESTED, attempted(), doubted(), attempted(2), failed(2), attempted(3), was_sent(3))
    outcomes = {key: (row.upsert or {})["outcome"] for key, row in made["attempts"].items()}
    assert outcomes == {(MAIL, 1): "uncertain", (MAIL, 2): "failed", (MAIL, 3): "sent"}


def test_of_a_deleted_one_the_tombstone_alone_says_what_is_left() -> None:
    bare = DeliveryDeleted(
        delivery_id=MAIL,
        source=SESSION,
        channel="mail",
        recipient=ANN,
        message_id="<m>",
        attempts=1,
        receipt="250",
    )
    before, after = made_of(REQUESTED, attempted(), was_sent(), bare), made_of(bare)
    row = before["deliveries"][(MAIL,)].upsert or {}
    left = {name: value for name, value in row.items() if name not in ("position", "revision", "updated_at")}
    again = after["deliveries"][(MAIL,)].upsert or {}
    assert left == {name: again[name] for name in left}
    assert (row["status"], row["recipient"], "subject" in row, "blob" in row) == (
        "deleted",
        ANN,
        False,
        False,
    )
    assert not before["attempts"]


def test_of_what_was_never_sent_nothing_is_left() -> None:
    made = made_of(REQUESTED, DeliveryDeleted(delivery_id=MAIL, source=SESSION))
    assert made["deliveries"][(MAIL,)].upsert is None


def test_a_webhook_is_as_it_was_said_last() -> None:
    added = WebhookAdded(webhook_id=HOOK, url="https://a.example/", kinds=("error",), job_ids=(JOB,))
    changed = WebhookChanged(webhook_id=HOOK, url="https://b.example/", active=False)
    rotated = WebhookSecretRotated(webhook_id=HOOK, generation=2)
    row = made_of(added, changed, rotated)["webhooks"][(HOOK,)].upsert or {}
    assert (row["url"], row["kinds"], row["active"], row["generation"]) == (
        "https://b.example/",
        "[]",
        False,
        2,
    )
    assert row["position"] == 1
    assert made_of(added, WebhookDeleted(webhook_id=HOOK))["webhooks"][(HOOK,)].upsert is None
