"""Projects that somebody in this process looks at: what is told of their replies, put together and passed on."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.chat import queries, telling
from app.chat.in_full import InFull
from app.chat.messages import MessageComplete, Said, message
from app.chat.views import CitedView
from app.live.client import Client
from app.live.conversation import POLICY
from app.live.feed import Feed
from app.live.listening import Listening
from app.live.messages import Message
from app.live.topics import Address, Topic
from events.chat import Asked, MessageSent, ProjectConfigured, ProjectDeleted, ReplyDeleted, ReplyEnded
from events.envelope import Recorded
from infra.jetstream import ApiError, LogUnavailable
from infra.replies import Draft, Missing, Told, reply_subject
from infra.signals import Signals
from infra.telemetry.logs import logger

log = logger(__name__)

Leading = Callable[[Sequence[CitedView]], Awaitable[tuple[CitedView, ...]]]

GONE = 4404
REMEMBERED = 64
"""Replies that have ended, of which late signals are dropped."""
TRIES = 5
PAUSE = 0.2


class Member:
    """A socket in a room."""

    def __init__(self, client: Client, lead: Leading) -> None:
        self.client = client
        self.lead = lead
        self.led: dict[UUID, tuple[CitedView, ...]] = {}
        """Where the citations of a reply that is about to be told lead."""
        self.since = 0
        """It has come behind this position."""
        self.own: set[UUID] = set()
        """Messages that it has sent itself."""

    def tell(self, said: Message) -> None:
        self.client.outbox.put(said)


class Room:
    """One project: who is there, and what has been told of the replies that are being made."""

    def __init__(
        self, project_id: UUID, *, signals: Signals, db: asyncpg.Pool, clock: Callable[[], datetime]
    ) -> None:
        self.project_id = project_id
        self.here = 0
        """How many sockets have it open; `members` are those of them that are told what happens."""
        self.members: set[Member] = set()
        self.drafts: dict[UUID, Draft] = {}
        self.position = 0
        """Up to where everything was heard."""
        self._signals, self._db, self._clock = signals, db, clock
        self._over: deque[UUID] = deque(maxlen=REMEMBERED)
        self._held: dict[UUID, list[Told]] = {}
        """What is heard of replies while their past is being read."""
        self._reading: dict[UUID, asyncio.Task[None]] = {}
        self._events = InFull(db, self._hear, self._so_far, self._lead)

    async def begin(self) -> None:
        """Find out whether a reply is being made, and what has come of it."""
        row = await queries.project(self._db, self.project_id)
        if row and (reply := row["running"]) and reply not in self._over:
            self.drafts.setdefault(reply, Draft())
            await self._read(reply)

    def close(self) -> None:
        self._events.close()
        for task in self._reading.values():
            task.cancel()

    def signalled(self, name: str, payload: bytes) -> None:
        """Hear a signal of the project."""
        kind, _, id = name.partition(".")
        if kind != "reply":
            return
        try:
            reply, told = UUID(id), msgspec.json.decode(payload, type=Told)
        except ValueError:
            return
        if reply in self._over:
            return
        if reply in self._held:
            self._held[reply].append(told)
            return
        draft = self.drafts.setdefault(reply, Draft())
        try:
            self._take(reply, draft, told)
        except Missing:
            self._read(reply)
            self._held[reply].append(told)

    def _read(self, reply: UUID) -> asyncio.Task[None]:
        """Read what was told of a reply; what is heard meanwhile waits."""
        self._held.setdefault(reply, [])
        if reply not in self._reading:
            task = asyncio.create_task(self._catch_up(reply))
            self._reading[reply] = task
            task.add_done_callback(lambda _: self._reading.pop(reply, None))
        return self._reading[reply]

    async def _catch_up(self, reply: UUID) -> None:
        """A replica of `LIVE` may be a moment behind what was heard: then it is asked again."""
        subject, missing = reply_subject(self.project_id, reply), True
        try:
            for _ in range(TRIES):
                past = await self._past(subject)
                missing = not self._take_all(reply, [*past, *self._held.get(reply, ())])
                if not missing:
                    return
                await asyncio.sleep(PAUSE)
        finally:
            self._held.pop(reply, None)
            if missing:
                log.warning("what was told of a reply is not there in full", reply=str(reply))

    async def _past(self, subject: str) -> list[Told]:
        try:
            return await self._signals.past(subject, Told)
        except (LogUnavailable, ApiError):
            return []

    def _take_all(self, reply: UUID, past: Iterable[Told]) -> bool:
        """Whether nothing was missing at the end."""
        draft, whole = self.drafts.get(reply), True
        if draft is None:  # it has ended meanwhile
            return True
        for told in past:
            try:
                self._take(reply, draft, told)
                whole = True
            except Missing:
                whole = False
        return whole

    def _take(self, reply: UUID, draft: Draft, told: Told) -> None:
        """Pass on what is told of a reply. Raises `Missing`."""
        for each in draft.take(told):
            self._only_for(source.context for source in each.sources)
            self._say(telling.piece(reply, each, self._clock()))

    def freeze(self, reply: UUID) -> Draft | None:
        """What has come of a reply; nothing more is told of it."""
        self._over.append(reply)
        return self.drafts.get(reply)

    def thaw(self, reply: UUID) -> None:
        """Go on telling it: it was not stopped after all."""
        self._over.remove(reply)

    def heard(self, recorded: Recorded[Any]) -> None:
        """Hear an event of the project that is readable now."""
        self._events.put(recorded)

    def _so_far(self, reply: UUID) -> str:
        draft = self.drafts.get(reply)
        return draft.text if draft else ""

    async def _lead(self, reply: UUID, citations: tuple[CitedView, ...]) -> None:
        """Links are for each on its own: they go by the address that it has used."""
        members = list(self.members) if citations else []
        found = await asyncio.gather(*(each.lead(citations) for each in members), return_exceptions=True)
        for member, led in zip(members, found, strict=True):
            if isinstance(led, BaseException):
                log.warning("where citations lead could not be found out", reply=str(reply), cause=led)
            else:
                member.led[reply] = led

    def _hear(self, recorded: Recorded[Any]) -> None:
        self.position = recorded.position
        match recorded.event:
            case ReplyEnded() as e:
                draft = self.drafts.pop(e.reply_id, None)
                if e.reply_id not in self._over:
                    self._over.append(e.reply_id)
                for each in telling.end(recorded, draft):
                    self._say(each)
            case ProjectConfigured(manner=manner):
                self._only_for(manner.contexts)
            case ReplyDeleted():
                self._say(telling.withdrawn(recorded))
            case ProjectDeleted():
                for member in list(self.members):
                    member.client.end(GONE, "project not found")
            case event:
                if isinstance(event, Asked) and event.reply_id not in self._over:
                    self.drafts.setdefault(event.reply_id, Draft())
                if told := telling.news(recorded):
                    own = event.message_id if isinstance(event, MessageSent) else None
                    self._say(told, but=own)

    def _only_for(self, contexts: Iterable[str]) -> None:
        """Send away who may not read what is said from now on: the project has been given sources since they came."""
        needed = [f"{each}:read" for each in contexts]
        for member in list(self.members):
            if not all(map(member.client.principal.may, needed)):
                self.members.discard(member)
                member.client.end(POLICY, "this key may not read the sources of the project")

    def _say(self, said: Said, *, but: UUID | None = None) -> None:
        """To everybody, but not to whoever has sent this message."""
        encoded = message(said)
        for member in self.members:
            if but is not None and but in member.own:
                continue
            led = member.led.pop(said.message_id, ()) if isinstance(said, MessageComplete) else ()
            member.tell(message(msgspec.structs.replace(said, citations=led)) if led else encoded)


class Rooms:
    """The rooms of a process."""

    def __init__(
        self,
        *,
        feed: Feed,
        topic: Topic,
        signals: Signals,
        db: asyncpg.Pool,
        clock: Callable[[], datetime],
    ) -> None:
        self._feed, self._topic = feed, topic
        self._signals, self._db, self._clock = signals, db, clock
        self._rooms: dict[UUID, tuple[Room, asyncio.Task[Listening]]] = {}

    def signalled(self, id: str, name: str, payload: bytes) -> None:
        """Hear a signal of any project."""
        try:
            found = self._rooms.get(UUID(id))
        except ValueError:
            return
        if found:
            found[0].signalled(name, payload)

    @asynccontextmanager
    async def entered(self, project_id: UUID, member: Member) -> AsyncIterator[Room]:
        """The room of a project, for as long as a socket is in it. The socket hears of nothing before it says so."""
        if project_id not in self._rooms:
            room = Room(project_id, signals=self._signals, db=self._db, clock=self._clock)
            self._rooms[project_id] = (room, asyncio.create_task(self._open(room)))
        room, opening = self._rooms[project_id]
        room.here += 1
        try:
            await asyncio.shield(opening)
            member.since = room.position
            yield room
        finally:
            room.members.discard(member)
            room.here -= 1
            if not room.here and self._rooms.get(project_id, (None,))[0] is room:
                del self._rooms[project_id]
                self._leave(room, opening)

    async def _open(self, room: Room) -> Listening:
        listening = Listening(Address(self._topic, str(room.project_id)), room.heard)
        await self._feed.join(listening)
        room.position = max(listening.after, 0)
        await room.begin()
        return listening

    def _leave(self, room: Room, opening: "asyncio.Task[Listening]") -> None:
        room.close()
        opening.cancel()
        if opening.done() and not opening.cancelled() and opening.exception() is None:
            self._feed.leave(opening.result())
