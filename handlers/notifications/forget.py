"""What follows for notifications when a session is deleted: all that was told about it goes."""

from events.envelope import Recorded
from events.notifications import SourceDeleted
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.notifications.decide import DeleteNotification
from handlers.notifications.deliveries.decide import DeleteDelivery


def forgetter() -> Handler:
    """The handler of a source's `deleted`, which names everything; what is still on its way comes too late."""

    async def forget(recorded: Recorded[SourceDeleted], _: Attempt) -> list[Command]:
        gone = recorded.event
        return [
            *(DeleteDelivery(delivery_id=each) for each in gone.deliveries),
            *(DeleteNotification(notification_id=each) for each in gone.notifications),
        ]

    return Handler(name="forget_told", on=SourceDeleted, effect=forget, timeout=300)
