"""`GET /v1/ws/chat`: a project as it is talked in."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from app.chat import messages, queries, telling
from app.chat.leading import Lead
from app.chat.messages import ChatMessage, Edit, Failed, Ping, Pong, Regenerate, Request, Resume, Show, Stop
from app.chat.rooms import Member, Room, Rooms
from app.chat.sending import Sending
from app.chat.topics import PROJECTS
from app.chat.views import Sent
from app.http.auth import Principal, authorize
from app.http.bodies import invalid
from app.http.endpoints import Call, Endpoint
from app.http.positions import parse_position
from app.http.problems import Malformed, RateLimited, UpgradeNeeded
from app.intents import fingerprint
from app.live.clients import Clients
from app.live.conversation import Heartbeat, converse
from app.live.messages import Message
from events.envelope import Intent
from events.ids import derived_id, new_id
from handlers.refusals import Forbidden, Invalid, NotFound, Refusal
from infra.telemetry.traces import inject

LARGEST = 512 << 10
"""Bytes of one message: the longest in characters that are escaped."""
MESSAGES = UUID("1f7a3c52-4b0e-5c0b-9d1d-0f6a2a3f7c11")
"""Name space of command ids that come from a client's own message ids."""
T = TypeVar("T")
_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


class ChatQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which project, and where another socket was lost."""

    project_id: UUID
    since: str | None = msgspec.field(default=None, name="from")
    """The last position that was heard: what has ended since is told first."""
    message_id: UUID | None = None
    attempt: int | None = None
    index: int = 0
    """The reply that was being told, its attempt, and how many characters of it are known."""


def endpoint(
    *,
    clients: Clients,
    heartbeat: Heartbeat,
    rooms: Rooms,
    sending: Sending,
    known: Callable[[UUID, Principal], Awaitable[None]],
    lead: Lead,
    clock: Callable[[], datetime],
) -> Endpoint:
    """The WebSocket. `known` raises `NotFound` for a project that is not there, `Forbidden` where it is not for all."""

    async def socket(call: Call[ChatQuery, None]) -> web.StreamResponse:
        q = call.query
        resume = Resume(since=q.since, message_id=q.message_id, attempt=q.attempt, index=q.index)
        if q.since:
            _place(q.since)
        await known(q.project_id, call.principal)
        with clients.admit("ws", call) as client:
            client.hears_out = True
            member = Member(client, partial(lead, call))
            async with rooms.entered(q.project_id, member) as room:
                dialect = Talk(call, room, member, sending, clock)
                await dialect.begin(resume)
                return await converse(call, client, clients, dialect, heartbeat, largest=LARGEST)

    return Endpoint(
        method="GET",
        path="/v1/ws/chat",
        handle=socket,
        summary="Talk in a project over a WebSocket",
        description="What a project's replies say, as they are made. /asyncapi.json describes the messages.",
        tag="chat",
        scope="chat:read",
        query=ChatQuery,
        status=101,
        live=True,
        refusals=(RateLimited, Invalid, NotFound, Forbidden, UpgradeNeeded),
    )


def _place(since: str) -> int:
    """A position of `CHAT`. Raises `Malformed`."""
    position = parse_position(since, "from")
    if position.stream != PROJECTS.stream:
        raise Malformed(
            "INVALID_POSITION",
            f"from must be a position of {PROJECTS.stream}, not of {position.stream}.",
            field="from",
        )
    return position.sequence


class Talk:
    """What one client says and hears in a project."""

    def __init__(
        self,
        call: Call[ChatQuery, None],
        room: Room,
        member: Member,
        sending: Sending,
        clock: Callable[[], datetime],
    ) -> None:
        self._principal = call.principal
        self._room = room
        self._member = member
        self._sending = sending
        self._clock = clock
        self._at_work: set[asyncio.Task[Any]] = set()

    async def begin(self, resume: Resume) -> None:
        """Tell what was missed and what has come of the reply that is being made; from then on, what happens."""
        await self._missed(resume.since)
        self._so_far(resume)
        self._room.members.add(self._member)

    async def hear(self, text: str) -> None:
        asked = _read(text)
        if isinstance(asked, Ping):
            self._say(Pong(timestamp=self._clock()))
        elif isinstance(asked, Resume):
            await self._missed(asked.since)
            if asked.message_id:  # all that has come was told when it came here
                self._so_far(asked)
        else:
            authorize(self._principal, "chat:write")
            await self._finish(self._do(asked))

    def refuse(self, refusal: Refusal) -> Message:
        bad = isinstance(refusal, Malformed | Invalid)
        code = "BAD_MESSAGE" if bad else refusal.code
        return messages.message(Failed(error=refusal.detail, code=code, timestamp=self._clock()))

    async def _finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it to the end, though the client may leave meanwhile."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def _do(self, asked: Request) -> None:
        project_id, sending = self._room.project_id, self._sending
        match asked:
            case ChatMessage():
                self._sent(await self._send(asked))
            case Edit(message_id=message_id, content=content):
                made, may = self._intent(asked.request_id, asked), self._may
                self._sent(await sending.edit(project_id, message_id, content, made, contexts=may))
            case Regenerate(message_id=message_id):
                made, may = self._intent(asked.request_id, asked), self._may
                self._sent(await sending.regenerate(project_id, message_id, made, contexts=may))
            case Show(message_id=message_id):
                outcome = await sending.show(project_id, message_id, self._intent(asked.request_id, asked))
                self._say(messages.Ack(position=outcome.cursor, timestamp=self._clock()))
            case Stop():
                await self._stop(asked)

    @property
    def _may(self) -> tuple[str, ...]:
        """The contexts that whoever talks may read."""
        return self._sending.sources.readable(self._principal)

    async def _send(self, asked: ChatMessage) -> Sent:
        made = self._intent(asked.message_id, msgspec.structs.replace(asked, timestamp=None))
        message_id = asked.message_id or derived_id(made.command_id, "message")
        self._member.own.add(message_id)
        anywhere = asked.parent_id is msgspec.UNSET
        parent = asked.parent_id if isinstance(asked.parent_id, UUID) else None
        return await self._sending.send(
            self._room.project_id,
            asked.content,
            made,
            contexts=self._may,
            parent=parent,
            at_leaf=anywhere,
            message_id=asked.message_id,
        )

    async def _stop(self, asked: Stop) -> None:
        made = self._intent(asked.request_id, asked)
        if first := await self._sending.first(self._room.project_id, made):
            self._say(messages.Ack(position=first.cursor, timestamp=self._clock()))
            return
        reply = asked.message_id or await self._sending.running(self._room.project_id)
        draft = self._room.freeze(reply)
        try:
            outcome = await self._sending.stop(self._room.project_id, reply, made, draft=draft)
        except Exception:
            self._room.thaw(reply)
            raise
        self._say(messages.Ack(position=outcome.cursor, message_id=reply, timestamp=self._clock()))

    async def _missed(self, since: str | None) -> None:
        """What ended behind a position and before this socket was told of everything."""
        if since is None:
            return
        after = _place(since)
        here = self._member in self._room.members
        while after < (until := self._member.since if here else self._room.position):
            for row in await queries.changed(self._sending.db, self._room.project_id, after, until):
                said = telling.missed(row)
                if isinstance(said, messages.MessageComplete) and said.citations:
                    said = msgspec.structs.replace(said, citations=await self._member.lead(said.citations))
                self._say(said)
            after = self._member.since = until

    def _so_far(self, asked: Resume) -> None:
        """What has come of the reply that is being made."""
        for reply, draft in self._room.drafts.items():
            same = reply == asked.message_id
            attempt, index = (asked.attempt, asked.index) if same else (None, 0)
            for each in telling.so_far(reply, draft, self._clock(), attempt=attempt, index=index):
                self._say(each)

    def _sent(self, sent: Sent) -> None:
        self._say(
            messages.Ack(
                position=sent.position,
                message_id=sent.message_id,
                reply_id=sent.reply_id,
                timestamp=self._clock(),
            )
        )

    def _say(self, said: messages.Said) -> None:
        self._member.tell(messages.message(said))

    def _intent(self, own: UUID | None, content: object) -> Intent:
        """With an id of the client's own, the same request is the same command for ever."""
        project = self._room.project_id
        command_id = derived_id(MESSAGES, self._principal.id, str(project), str(own)) if own else new_id()
        return Intent(
            command_id=command_id,
            actor=self._principal.id,
            at=self._clock(),
            correlation_id=command_id,
            trace=inject(),
            fingerprint=fingerprint(content) if own else None,
        )


def _read(data: str) -> Request:
    try:
        asked = _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise invalid("BAD_MESSAGE", error, _decoder.type) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Malformed("BAD_MESSAGE", "This is not JSON that can be read.") from None
    if "\0" in getattr(asked, "content", ""):
        raise Malformed("BAD_MESSAGE", "A message cannot hold the character U+0000.")
    if not getattr(asked, "content", "x").strip():
        raise Malformed("BAD_MESSAGE", "A message without a word says nothing.")
    return asked
