"""From what happens to a session to the notifications that say so."""

from functools import reduce

from events.envelope import Key, Recorded
from events.ids import derived_id
from events.jobsite import DiscrepanciesFound, Reported, SessionDeleted, SessionMoved, StageFailed, Understood
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.notifications.about import title_of
from handlers.notifications.decide import (
    DeleteSource,
    MoveNotification,
    RaiseNotification,
    Source,
    evolve_source,
)
from handlers.notifications.telling import telling
from infra.log import Log


def failure_notifier(*, log: Log) -> Handler:
    """The handler of `stage_failed`."""

    async def notify(recorded: Recorded[StageFailed], _: Attempt) -> list[Command]:
        failed = recorded.event
        error = RaiseNotification(
            notification_id=derived_id(recorded.id, "notification", "error"),
            kind="error",
            source=failed.session_id,
            job_id=failed.job_id,
            title=f"{await title_of(log, failed.session_id)}: {failed.stage} failed",
            detail=f"{failed.detail} ({failed.code})",
        )
        return telling(failed.session_id, [error])

    return Handler(name="notify_of_failure", on=StageFailed, effect=notify)


def discrepancy_notifier(*, log: Log) -> Handler:
    """The handler of `discrepancies_found`: those that came to light after the report."""

    async def notify(recorded: Recorded[DiscrepanciesFound], _: Attempt) -> list[Command]:
        found = recorded.event
        if not found.discrepancies:
            return []
        title = await title_of(log, found.session_id)
        return telling(found.session_id, [discrepancies(recorded, title, len(found.discrepancies))])

    return Handler(name="notify_of_discrepancies", on=DiscrepanciesFound, effect=notify)


def discrepancies(
    recorded: Recorded[DiscrepanciesFound] | Recorded[Reported], title: str, count: int
) -> RaiseNotification:
    """That something contradicts what was known."""
    return RaiseNotification(
        notification_id=derived_id(recorded.id, "notification", "discrepancies"),
        kind="discrepancies",
        source=recorded.event.session_id,
        job_id=recorded.event.job_id,
        title=f"{title}: {counted(count, 'discrepancy', 'discrepancies')}",
        detail="What was said contradicts the plan or what was said before. Accept or dismiss it.",
    )


def counted(count: int, one: str, several: str) -> str:
    """`1 action item`, `3 action items`."""
    return f"{count} {one if count == 1 else several}"


def session_followers(*, log: Log) -> tuple[Handler, ...]:
    """The handlers of what tells a session's job: what was told about it before can be found under that job, too."""

    async def follow(recorded: Recorded[Understood | SessionMoved], _: Attempt) -> list[Command]:
        event = recorded.event
        past = await log.load(Key("notifications", "source", event.session_id))
        told = reduce(evolve_source, (each.event for each in past), Source())  # type: ignore[arg-type]
        return [
            MoveNotification(notification_id=each, job_id=event.job_id, as_of=recorded.position)
            for each in told.notifications
        ]

    return (
        Handler(name="notifications_of_understood", on=Understood, effect=follow),
        Handler(name="notifications_of_moved", on=SessionMoved, effect=follow),
    )


def session_forgetter() -> Handler:
    """The handler of a session's `deleted`."""

    async def forget(recorded: Recorded[SessionDeleted], _: Attempt) -> DeleteSource:
        return DeleteSource(source_id=recorded.event.session_id)

    return Handler(name="forget_session", on=SessionDeleted, effect=forget)
