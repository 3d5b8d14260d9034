"""What can be followed of notifications as they come."""

from collections.abc import Iterable
from typing import Any

from app.live.topics import Topic
from events.envelope import Recorded
from events.notifications import NotificationDeleted, NotificationRaised


def _job(recorded: Recorded[Any]) -> Iterable[str]:
    job_id = recorded.event.job_id
    return (str(job_id),) if job_id else ()


NOTIFICATIONS = Topic(
    name="notifications",
    stream="NOTIFICATIONS",
    scope="notifications:read",
    events=(NotificationRaised, NotificationDeleted),
    filters=lambda _: ("notifications.notification.>",),
    of=lambda _: ("",),
    has_ids=False,
    narrowing={"jobIds": _job},
    about="`session_complete`, `discrepancies` and `error`, as the event's `kind` says; of some jobs with `jobIds`.",
)

TOPICS = (NOTIFICATIONS,)
