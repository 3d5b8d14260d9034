"""Events of a project one after the other, each with all that is to be told of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.chat import queries
from app.chat.views import CitedView
from events.chat import ReplyEnded
from events.envelope import Recorded
from infra.telemetry.logs import logger

log = logger(__name__)


class InFull:
    """The words of a reply from sources are not in the event of its end: they are read, and what comes behind waits."""

    def __init__(
        self,
        db: asyncpg.Pool,
        hear: Callable[[Recorded[Any]], None],
        draft: Callable[[UUID], str],
        lead: Callable[[UUID, tuple[CitedView, ...]], Awaitable[None]],
    ) -> None:
        """`draft` gives what has been told of a reply: all there is when the read model does not answer.

        `lead` finds out where its citations lead, before its end is heard.
        """
        self._db, self._hear, self._draft, self._lead = db, hear, draft, lead
        self._waiting: deque[Recorded[Any]] = deque()
        self._reading: asyncio.Task[None] | None = None

    def put(self, recorded: Recorded[Any]) -> None:
        self._waiting.append(recorded)
        if self._reading is None:
            self._go_on()

    def close(self) -> None:
        if self._reading:
            self._reading.cancel()

    def _go_on(self) -> None:
        while self._waiting:
            event = self._waiting[0].event
            if isinstance(event, ReplyEnded) and event.apart:
                self._reading = asyncio.create_task(self._read(event))
                return
            self._hear(self._waiting.popleft())

    async def _read(self, event: ReplyEnded) -> None:
        full = await self._full(event)
        self._reading = None
        self._hear(msgspec.structs.replace(self._waiting.popleft(), event=full))
        self._go_on()

    async def _full(self, event: ReplyEnded) -> ReplyEnded:
        try:
            row = await queries.message(self._db, event.project_id, event.reply_id)
            if row:
                await self._lead(event.reply_id, queries.view(row, ()).citations)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as away:
            log.warning("the words of a reply could not be read", reply=str(event.reply_id), cause=away)
            row = None
        if row is None:
            return msgspec.structs.replace(event, content=self._draft(event.reply_id), citations=())
        shown = queries.view(row, ())
        return msgspec.structs.replace(event, content=shown.content, citations=shown.citations)
