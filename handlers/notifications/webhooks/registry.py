"""The webhooks there are, as the log has them at the moment they are asked for."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from events.notifications import WebhookEvent
from handlers.notifications.webhooks.decide import Absent, State, Webhook, evolve
from infra.log import Log

STREAM = "NOTIFICATIONS"
SUBJECTS = "notifications.webhook.>"


class Webhooks:
    """They are few: a process folds them once, and from then on reads only what is new."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._states: dict[UUID, State] = {}
        self._known = 0
        self._reading = asyncio.Lock()

    async def current(self) -> Mapping[UUID, Webhook]:
        """By id. Raises `LogUnavailable`."""
        async with self._reading:
            end = await self._log.last_position(STREAM)
            async for recorded in self._log.scan(STREAM, SUBJECTS, after=self._known, until=end):
                event = recorded.event
                if isinstance(event, WebhookEvent):
                    before = self._states.get(event.webhook_id, Absent())
                    self._states[event.webhook_id] = evolve(before, event)
            self._known = end
        return {id: state for id, state in self._states.items() if isinstance(state, Webhook)}
