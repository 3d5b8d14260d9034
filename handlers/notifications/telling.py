"""Notifications and deliveries as the commands that make them, named to their source first."""

from collections.abc import Iterable
from uuid import UUID

from handlers.commands import Command
from handlers.notifications.decide import RaiseNotification, Tell
from handlers.notifications.deliveries.commands import RequestDelivery


def telling(
    source: UUID,
    notifications: Iterable[RaiseNotification] = (),
    deliveries: Iterable[RequestDelivery] = (),
) -> list[Command]:
    """All of them, in an order in which the deletion of the session reaches each, made or still on its way."""
    raised, requested = list(notifications), list(deliveries)
    if not raised and not requested:
        return []
    names = Tell(
        source_id=source,
        notifications=tuple(each.notification_id for each in raised),
        deliveries=tuple(each.delivery_id for each in requested),
    )
    return [names, *requested, *raised]
