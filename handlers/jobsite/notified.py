"""From a notification of a report, or from the dead letter in its place, to the end of the stage that waits for it."""

from uuid import UUID

from events.envelope import Recorded
from events.jobsite import Reported
from events.notifications import NotificationRaised
from events.operations import Recorded as DeadLetter
from handlers.handler import Attempt, Handler
from handlers.jobsite.session.commands import FailStage, RecordNotified

NOTIFIER = "notify_of_report"
"""The handler that tells of reports."""


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


def unnotified() -> Handler:
    """The handler of a dead letter's `recorded`; most are about something else."""

    async def fail(recorded: Recorded[DeadLetter], _: Attempt) -> FailStage | None:
        letter = recorded.event
        match letter.subject.split("."):
            case [Reported.context, Reported.aggregate, id, Reported.name] if letter.handler == NOTIFIER:
                pass
            case _:
                return None
        return FailStage(
            session_id=UUID(id),
            stage="notify",
            code="NOTIFYING_FAILED",
            detail=f"Telling of it failed {letter.attempts} times and is among the dead letters. {letter.error}",
            attempts=letter.attempts,
        )

    return Handler(name="unnotified", on=DeadLetter, effect=fail)
