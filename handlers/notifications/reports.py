"""From a report to the notification of it, and to the mail for everybody who is to have it."""

from uuid import UUID

from events.envelope import Recorded
from events.ids import derived_id
from events.jobsite import Reported
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.notifications.decide import RaiseNotification
from handlers.notifications.deliveries.commands import RequestDelivery, Withdraw
from handlers.notifications.editions import is_outdated, mail_before, mail_of, newly_found
from handlers.notifications.sessions import counted, discrepancies
from handlers.notifications.telling import telling
from infra.blobs import BlobMissing, Blobs, once
from infra.log import Log
from infra.mail import Sender
from infra.mail.rendering import Mail, NotAnAddress, message_id, rendered
from infra.telemetry.logs import logger

logs = logger(__name__)

MEDIA_TYPE = "message/rfc822"
LARGEST = 4 << 20
"""Bytes of one version of a report."""


def report_notifier(*, log: Log, blobs: Blobs, sender: Sender, recipients: tuple[str, ...]) -> Handler:
    """The handler of `reported`. `recipients` get the reports for which nobody is named."""

    async def notify(recorded: Recorded[Reported], _: Attempt) -> list[Command]:
        report = recorded.event
        raised = [_complete(recorded)]
        past = await log.load(report.key)
        news = report.discrepancies if report.edition == 1 else newly_found(past, recorded)
        if news:
            raised.insert(0, discrepancies(recorded, report.title, news))
        if is_outdated(past, recorded):
            return telling(report.session_id, raised)
        try:
            text, html = await _read(report.text), await _read(report.html)
        except BlobMissing:
            return []  # the session was deleted meanwhile
        named = dict.fromkeys(each.strip() for each in report.recipients or recipients)
        mails = [
            await _mail(recorded, mail_of(past, recorded, each, recipients), each, text, html)
            for each in named
        ]
        before = [mail_before(past, recorded, each, recipients) for each in named]
        return [
            *telling(report.session_id, raised, [each for each in mails if each]),
            *(Withdraw(delivery_id=each) for each in before if each),
        ]

    async def _read(key: str) -> str:
        return (await blobs.get(key, LARGEST)).decode()

    async def _mail(
        recorded: Recorded[Reported], id: UUID, recipient: str, text: str, html: str
    ) -> RequestDelivery | None:
        """One for each recipient of a session: a later edition goes only to those who have had none, in the place of
        an earlier one that has not left yet, unless somebody asked for it."""
        report = recorded.event
        mail = Mail(id, sender, recipient, report.subject, text, html, recorded.at)
        try:
            stored = await blobs.put(once(rendered(mail)), media_type=MEDIA_TYPE)
        except NotAnAddress as wrong:
            logs.warning(
                "a report has a recipient that no mail reaches", session=report.session_id, cause=wrong
            )
            return None
        return RequestDelivery(
            delivery_id=id,
            channel="mail",
            kind="session_complete",
            recipient=recipient,
            subject=report.subject,
            blob=stored.key,
            size=stored.size,
            message_id=message_id(id, sender),
            notification_id=_complete(recorded).notification_id,
            source=report.session_id,
            job_id=report.job_id,
            edition=report.edition,
            at=recorded.at,
        )

    return Handler(name="notify_of_report", on=Reported, effect=notify, timeout=120)


def _complete(recorded: Recorded[Reported]) -> RaiseNotification:
    report = recorded.event
    items = counted(report.action_items, "action item", "action items")
    differ = counted(report.discrepancies, "discrepancy", "discrepancies")
    return RaiseNotification(
        notification_id=derived_id(recorded.id, "notification", "session_complete"),
        kind="session_complete",
        source=report.session_id,
        job_id=report.job_id,
        edition=report.edition,
        title=report.title,
        detail=f"{items}, {differ}." + (f" Edition {report.edition}." if report.edition > 1 else ""),
    )
