"""From a notification of a report to the end of the stage that waits for it."""

from events.envelope import Recorded
from events.notifications import NotificationRaised
from handlers.handler import Attempt, Handler
from handlers.jobsite.session.commands import RecordNotified


def notified() -> Handler:
    """The handler of a notification's `raised`; those that tell of no report are no end of a stage."""

    async def record(recorded: Recorded[NotificationRaised], attempt: Attempt) -> RecordNotified | None:
        told = recorded.event
        if told.kind != "session_complete" or told.edition is None:
            return None
        return RecordNotified(
            session_id=told.source,
            edition=told.edition,
            notification_id=told.notification_id,
            attempts=attempt.number,
            started_at=recorded.at,
        )

    return Handler(name="notified", on=NotificationRaised, effect=record)
