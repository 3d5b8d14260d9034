"""What follows for notifications when a session is deleted, or what it quotes: all that was told of that goes."""

from functools import reduce
from uuid import UUID

from events.envelope import Key, Recorded
from events.jobsite import SourceChanged
from events.notifications import DeliveryRequested, SourceDeleted
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.notifications.decide import DeleteNotification, Source, evolve_source
from handlers.notifications.deliveries.commands import DeleteDelivery
from infra.log import Log


def forgetter() -> Handler:
    """The handler of a source's `deleted`, which names everything; what is still on its way comes too late."""

    async def forget(recorded: Recorded[SourceDeleted], _: Attempt) -> list[Command]:
        gone = recorded.event
        return [
            *(DeleteDelivery(delivery_id=each) for each in gone.deliveries),
            *(DeleteNotification(notification_id=each) for each in gone.notifications),
        ]

    return Handler(name="forget_told", on=SourceDeleted, effect=forget, timeout=300)


def mail_forgetter(*, log: Log) -> Handler:
    """The handler of `source_changed`: mails that may quote what is gone go with it; a report without it follows."""

    async def forget(recorded: Recorded[SourceChanged], _: Attempt) -> list[DeleteDelivery]:
        changed = recorded.event
        if not changed.forgotten:
            return []
        past = await log.load(Key("notifications", "source", changed.session_id))
        told = reduce(evolve_source, (each.event for each in past), Source())  # type: ignore[arg-type]
        return [DeleteDelivery(delivery_id=each) for each in told.deliveries if await _quotes(each, recorded)]

    async def _quotes(delivery: UUID, changed: Recorded[SourceChanged]) -> bool:
        past = await log.load(Key("notifications", "delivery", delivery))
        if not past or not isinstance(past[0].event, DeliveryRequested):
            return False
        return past[0].event.channel == "mail" and past[0].at < changed.at

    return Handler(name="forget_quoting_mails", on=SourceChanged, effect=forget, timeout=300)
