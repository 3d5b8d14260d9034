"""Rules of notifications, of what is told about a session, and of webhooks."""

from typing import Any
from uuid import UUID

from msgspec import structs

from events.notifications import (
    InboxRead,
    NotificationDeleted,
    NotificationMoved,
    NotificationRead,
    SourceDeleted,
    SourceTold,
    WebhookAdded,
    WebhookChanged,
    WebhookDeleted,
    WebhookSecretRotated,
)
from handlers.notifications.decide import (
    INBOXES,
    NOTIFICATIONS,
    SOURCES,
    DeleteNotification,
    DeleteSource,
    MarkRead,
    MoveNotification,
    ReadAll,
    Tell,
)
from handlers.notifications.webhooks.decide import (
    WEBHOOKS,
    AddWebhook,
    ChangeWebhook,
    DeleteWebhook,
    RotateSecret,
    Webhook,
)
from handlers.refusals import NotFound
from tests.notifications.facts import HOOK, JOB, MAIL, NOTE, RAISED, SESSION, raise_it
from tests.rules import given

GONE = NotificationDeleted(notification_id=NOTE, source=SESSION, job_id=JOB)
delete = DeleteNotification(notification_id=NOTE)


def test_a_notification_is_raised_once():
    given(NOTIFICATIONS).when(raise_it, raise_it).then(RAISED)


def test_everybody_reads_for_themselves_and_once():
    ann, bob = (MarkRead(notification_id=NOTE, reader=each) for each in ("key:ann", "key:bob"))
    read = [NotificationRead(notification_id=NOTE, reader=each) for each in ("key:ann", "key:bob")]
    given(NOTIFICATIONS, RAISED).when(ann, ann, bob).then(*read)


def test_what_is_not_there_cannot_be_read():
    read = MarkRead(notification_id=NOTE, reader="key:ann")
    given(NOTIFICATIONS).when(read).refused(NotFound, "NOTIFICATION_NOT_FOUND")
    given(NOTIFICATIONS, RAISED, GONE).when(read).refused(NotFound, "NOTIFICATION_NOT_FOUND")


def test_a_notification_goes_with_its_session_and_the_newest_move_counts():
    other = UUID(int=9)
    move = MoveNotification(notification_id=NOTE, job_id=other, as_of=7)
    moved = NotificationMoved(notification_id=NOTE, job_id=other, as_of=7)
    late = structs.replace(move, job_id=JOB, as_of=6)
    given(NOTIFICATIONS, RAISED).when(move, move, late).then(moved)
    given(NOTIFICATIONS).when(move).then()
    given(NOTIFICATIONS, RAISED, GONE).when(move).then()
    given(NOTIFICATIONS, RAISED, moved).when(delete).then(structs.replace(GONE, job_id=other))


def test_a_deleted_notification_stays_deleted_also_when_it_was_still_on_its_way():
    given(NOTIFICATIONS, RAISED).when(delete, delete, raise_it).then(GONE)
    given(NOTIFICATIONS).when(delete, raise_it).then(NotificationDeleted(notification_id=NOTE))


def test_reading_all_only_goes_forward():
    def all_to(position: int) -> dict[str, Any]:
        return {"inbox_id": UUID(int=9), "reader": "key:ann", "up_to": position}

    commands = [ReadAll(**all_to(each)) for each in (0, 7, 5, 7, 8)]
    given(INBOXES).when(*commands).then(InboxRead(**all_to(7)), InboxRead(**all_to(8)))


tell = Tell(source_id=SESSION, notifications=(NOTE,), deliveries=(MAIL,))
TOLD = SourceTold(source_id=SESSION, notifications=(NOTE,), deliveries=(MAIL,))
FORGOTTEN = SourceDeleted(source_id=SESSION, notifications=(NOTE,), deliveries=(MAIL,))
forget = DeleteSource(source_id=SESSION)


def test_what_is_about_to_be_told_is_named_once_before():
    given(SOURCES).when(tell, tell).then(TOLD)


def test_a_deletion_names_all_that_was_told():
    given(SOURCES, TOLD).when(forget, forget).then(FORGOTTEN)


def test_what_comes_after_a_deletion_is_named_in_a_tombstone_that_names_everything():
    late = Tell(source_id=SESSION, notifications=(HOOK,))
    everything = structs.replace(FORGOTTEN, notifications=(NOTE, HOOK))
    given(SOURCES, TOLD, FORGOTTEN).when(late, late).then(everything)
    given(SOURCES).when(forget, tell).then(SourceDeleted(source_id=SESSION), FORGOTTEN)


add = AddWebhook(webhook_id=HOOK, url="https://office.example.com/", kinds=("error",), job_ids=(JOB,))
ADDED = WebhookAdded(webhook_id=HOOK, url="https://office.example.com/", kinds=("error",), job_ids=(JOB,))


def test_a_webhook_changes_only_in_what_is_said_and_only_when_that_is_new():
    off, same = ChangeWebhook(webhook_id=HOOK, active=False), ChangeWebhook(webhook_id=HOOK)
    changed = WebhookChanged(**{**structs.asdict(ADDED), "active": False})
    given(WEBHOOKS).when(add, add, same, off, off).then(ADDED, changed)


def test_each_rotation_is_a_generation_of_its_own():
    rotated = [WebhookSecretRotated(webhook_id=HOOK, generation=n) for n in (2, 3)]
    rotate = RotateSecret(webhook_id=HOOK)
    given(WEBHOOKS, ADDED).when(rotate, rotate).then(*rotated)


def test_a_webhook_that_was_removed_is_gone():
    remove = DeleteWebhook(webhook_id=HOOK)
    given(WEBHOOKS, ADDED).when(remove, remove).then(WebhookDeleted(webhook_id=HOOK))
    for late in (RotateSecret(webhook_id=HOOK), ChangeWebhook(webhook_id=HOOK)):
        given(WEBHOOKS, ADDED, WebhookDeleted(webhook_id=HOOK)).when(late).refused(
            NotFound, "WEBHOOK_NOT_FOUND"
        )


def test_a_webhook_wants_its_kinds_of_its_jobs():
    picky, open_ = Webhook(ADDED), Webhook(WebhookAdded(webhook_id=HOOK, url="https://a.example/"))
    assert picky.wants("error", JOB)
    assert not picky.wants("session_complete", JOB)
    assert not picky.wants("error", None)
    assert open_.wants("discrepancies", None)
    assert not Webhook(structs.replace(open_.wish, active=False)).wants("error", JOB)
