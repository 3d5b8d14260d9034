"""What is told of each edition of a report, and what is mailed of it."""

from typing import Any
from uuid import UUID

from events.envelope import Event, Key, Recorded
from events.jobsite import DiscrepanciesFound, DiscrepancyDismissed, Reported, SourceChanged, Summarised
from handlers.commands import Command
from handlers.handler import Attempt, commands_of
from handlers.notifications.decide import RaiseNotification
from handlers.notifications.deliveries.commands import RequestDelivery, Withdraw
from handlers.notifications.reports import report_notifier
from infra.blobs import Blob
from infra.log import Log
from infra.mail import NOBODY
from tests.notifications.facts import ANN, SESSION
from tests.notifications.test_rows import recorded

HERE, THERE, LATE = (UUID(int=n) for n in (11, 12, 13))


class Past(Log):
    """A log that holds the events of one session."""

    def __init__(self, *events: Event) -> None:
        self.events = [recorded(event, n) for n, event in enumerate(events, 1)]

    async def load(self, key: Key, **_: Any) -> list[Recorded[Any]]:
        return [each for each in self.events if each.event.key == key]


class Contents:
    """Any blob is there, and says its key."""

    async def get(self, key: str, _: int = 0) -> bytes:
        return key.encode()

    async def put(self, chunks: Any, *, media_type: str) -> Any:
        content = b"".join([chunk async for chunk in chunks])
        return Blob("0" * 64, len(content), media_type)


def summarised(*discrepancies: UUID) -> Summarised:
    return Summarised(
        session_id=SESSION,
        transcript="a" * 64,
        corrections=0,
        blob="a" * 64,
        size=1,
        method="extractive",
        discrepancies=discrepancies,
    )


def reported(edition: int = 1, **more: Any) -> Reported:
    return Reported(
        session_id=SESSION,
        transcript="a" * 64,
        corrections=0,
        summary="a" * 64,
        title="Boiler room",
        subject="Boiler room",
        html=f"{2 * edition:064x}",
        text=f"{2 * edition + 1:064x}",
        edition=edition,
        **{"recipients": (ANN,), **more},
    )


async def told(log: Past, edition: int = 1) -> list[Command]:
    """What follows from an edition, as the log is."""
    blobs: Any = Contents()
    effect = report_notifier(log=log, blobs=blobs, sender=NOBODY, recipients=()).effect
    [report] = [
        each for each in log.events if isinstance(each.event, Reported) and each.event.edition == edition
    ]
    return list(commands_of(await effect(report, Attempt(1, 6))))


async def raised(log: Past, edition: int = 1) -> list[str]:
    commands = await told(log, edition)
    return [
        each.title
        for each in commands
        if isinstance(each, RaiseNotification) and each.kind == "discrepancies"
    ]


async def mailed(log: Past, edition: int = 1) -> list[RequestDelivery]:
    return [each for each in await told(log, edition) if isinstance(each, RequestDelivery)]


def gone(*forgotten: str) -> SourceChanged:
    return SourceChanged(session_id=SESSION, source_id=THERE, gone=True, forgotten=forgotten)


async def test_a_report_that_quotes_what_was_deleted_since_is_told_of_and_not_mailed() -> None:
    [mail] = await mailed(Past(summarised(HERE), reported()))
    assert mail.recipient == ANN
    assert await mailed(Past(summarised(HERE), reported(), gone())) == [mail]
    for forgotten in (("a" * 64, reported().html, reported().text), ("a" * 64,)):
        log = Past(summarised(HERE), reported(), gone(*forgotten))
        assert await mailed(log) == []
        assert await raised(log) == await raised(Past(summarised(HERE), reported()))
    assert len(await mailed(Past(summarised(HERE), gone("a" * 64), reported()))) == 1


async def test_an_edition_that_has_a_later_one_is_not_mailed() -> None:
    log = Past(summarised(), reported(1), reported(2))
    assert (len(await mailed(log, 1)), len(await mailed(log, 2))) == (0, 1)


async def test_who_has_had_a_report_that_was_asked_for_gets_no_other_one_after_it() -> None:
    bob = "bob@example.com"
    asked = reported(2, recipients=(ANN.upper(), bob), request_id=LATE)
    first, second = Past(reported(1)), Past(asked)
    third = Past(reported(1), asked, reported(3, recipients=(ANN, bob)))
    [ann], [ann_asked, bob_asked] = await mailed(first), await mailed(second, 2)
    ids = [each.delivery_id for each in await mailed(third, 3)]
    assert ids == [ann_asked.delivery_id, bob_asked.delivery_id]
    assert ann.delivery_id not in ids


async def test_a_report_that_is_asked_for_is_sent_instead_of_one_that_waits() -> None:
    asked = reported(2, request_id=LATE)
    [before] = await mailed(Past(reported(1)))
    commands = await told(Past(reported(1), asked), 2)
    assert Withdraw(delivery_id=before.delivery_id) in commands
    again = await told(Past(reported(1), asked, reported(3, request_id=HERE)), 3)
    [second] = [each for each in commands if isinstance(each, RequestDelivery)]
    assert [each.delivery_id for each in again if isinstance(each, Withdraw)] == [second.delivery_id]
    for log in (
        Past(reported(1, request_id=LATE)),
        Past(reported(1), asked, reported(3)),
        Past(asked, reported(3, request_id=LATE)),
    ):
        last = log.events[-1].event.edition
        assert not [each for each in await told(log, last) if isinstance(each, Withdraw)]


async def test_who_was_not_meant_by_a_request_keeps_to_the_one_mail_of_before() -> None:
    asked = reported(2, recipients=("bob@example.com",), request_id=LATE)
    [before] = await mailed(Past(reported(1)))
    [after] = await mailed(Past(reported(1), asked, reported(3)), 3)
    assert (after.delivery_id, after.edition) == (before.delivery_id, 3)


async def test_what_a_correction_makes_a_contradiction_is_told_with_its_edition_and_once() -> None:
    log = Past(
        summarised(),
        reported(1),
        summarised(HERE),
        reported(2, discrepancies=1),
        summarised(HERE, THERE),
        reported(3, discrepancies=2),
        summarised(THERE),
        reported(4, discrepancies=1),
    )
    assert [await raised(log, n) for n in (1, 2, 3, 4)] == [
        [],
        ["Boiler room: 1 discrepancy"],
        ["Boiler room: 1 discrepancy"],
        [],
    ]


async def test_what_was_in_a_summary_without_a_report_is_new_in_the_one_that_has_it() -> None:
    log = Past(
        summarised(), reported(1), summarised(HERE), summarised(HERE, THERE), reported(2, discrepancies=2)
    )
    assert await raised(log, 2) == ["Boiler room: 2 discrepancies"]


async def test_what_was_told_on_its_own_or_dismissed_is_not_told_with_a_later_edition() -> None:
    found = DiscrepanciesFound(
        session_id=SESSION, blob="b" * 64, size=1, method="grammar", discrepancies=(LATE,)
    )
    dismissed = DiscrepancyDismissed(session_id=SESSION, discrepancy_id=HERE)
    log = Past(
        summarised(),
        reported(1),
        found,
        summarised(LATE, HERE),
        dismissed,
        reported(2, discrepancies=1),
    )
    assert await raised(log, 2) == []
