"""A small site on a real server, for tests of everything between a socket and an endpoint."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from aiohttp import ClientSession, WSMsgType, web

from app.http.bodies import Patience
from app.http.endpoints import Call, Endpoint, Reply
from app.http.keys import ApiKey, KeyRing, NewKey, new_key
from app.http.multipart import Multipart, Upload
from app.http.routing import Desk
from app.http.server import Timeouts, application, listen
from handlers.refusals import Conflict, Invalid, NotFound, Unavailable


class Find(msgspec.Struct, frozen=True, rename="camel"):
    max_items: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    tag: tuple[str, ...] = ()
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    min_score: float | None = None


class Note(msgspec.Struct, frozen=True, rename="camel"):
    """A note as a client sends it."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    body_text: str = ""
    links: tuple[UUID, ...] = ()


class Kept(msgspec.Struct, frozen=True, rename="camel"):
    note_id: UUID
    title: str


class About(msgspec.Struct, frozen=True, rename="camel"):
    job_id: UUID | None = None
    title: str | None = None
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


async def find(call: Call[Find, None]) -> Reply:
    return Reply(body=call.query)


async def keep(call: Call[None, Note]) -> Reply:
    return Reply(body=Kept(UUID(int=1), call.body.title), position="NOTES@7")


async def show(call: Call[None, None]) -> Reply:
    return Reply(body=Kept(call.ids["noteId"], call.principal.name), etag="v1")


async def upload(call: Call[None, None]) -> Reply:
    async def count(file: Upload) -> dict[str, Any]:
        sizes = [len(chunk) async for chunk in file.chunks]
        return {"bytes": sum(sizes), "largest": max(sizes, default=0), "name": file.name}

    form = await call.form(count)
    return Reply(body={"fields": form.fields, **form.file})


async def alive(call: Call[None, None]) -> Reply:
    return Reply(body={"ok": True})


async def fail(call: Call[None, None]) -> Reply:
    raise FAILURES[call.params["how"]]


async def nothing(call: Call[None, None]) -> Reply:
    return Reply()


async def broken_off(call: Call[None, None]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(call.request)
    if call.params["when"] == "late":
        await response.write(b"the beginning")
    raise RuntimeError("in the middle of it")


async def socket(call: Call[None, None]) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(call.request)
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            await ws.send_str(f"{call.principal.name}: {message.data}")
    return ws


FAILURES: dict[str, Exception] = {
    "missing": NotFound("NOTE_NOT_FOUND", "There is no such note."),
    "conflict": Conflict("NOTE_DELETED", "The note is deleted."),
    "invalid": Invalid("TITLE_TAKEN", "Choose another title.", field="title"),
    "away": Unavailable("LOG_UNAVAILABLE", "The log does not answer.", retry_after=3),
    "refused": ConnectionRefusedError("password=hunter2"),
    "late": TimeoutError(),
    "gone": web.HTTPGone(),
    "range": web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": "bytes */9"}),
    "bug": KeyError("/secret/path"),
    "stored": msgspec.ValidationError("what we stored does not fit"),
}

LIMIT = 300_000


def endpoints() -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            method="GET",
            path="/v1/notes",
            handle=find,
            query=Find,
            scope="notes:read",
            answer=Find,
            summary="Find notes",
            tag="Notes",
        ),
        Endpoint(
            method="POST",
            path="/v1/notes",
            handle=keep,
            body=Note,
            scope="notes:write",
            answer=Kept,
            status=201,
            summary="Keep a note",
            tag="Notes",
            refusals=(Conflict,),
            example=Note("Milk"),
        ),
        Endpoint(
            method="GET",
            path="/v1/notes/{noteId}",
            handle=show,
            scope="notes:read",
            answer=Kept,
            summary="One note",
            tag="Notes",
            refusals=(NotFound,),
        ),
        Endpoint(
            method="DELETE",
            path="/v1/notes/{noteId}",
            handle=nothing,
            scope="notes:write",
            status=204,
            summary="Delete a note",
            tag="Notes",
        ),
        Endpoint(
            method="POST",
            path="/v1/files",
            handle=upload,
            multipart=Multipart(fields=About, limit=LIMIT),
            scope="notes:write",
            status=202,
            summary="Keep a file",
            tag="Files",
        ),
        Endpoint(
            method="GET",
            path="/v1/fail/{how}",
            handle=fail,
            scope=None,
            summary="Go wrong",
            tag="Tests",
        ),
        Endpoint(
            method="GET",
            path="/v1/broken/{when}",
            handle=broken_off,
            scope=None,
            summary="Break off",
            tag="Tests",
        ),
        Endpoint(
            method="GET",
            path="/health",
            handle=alive,
            scope=None,
            metered=False,
            summary="Alive",
            tag="State",
        ),
        Endpoint(
            method="GET",
            path="/v1/ws/chat",
            handle=socket,
            scope="notes:read",
            live=True,
            summary="Talk",
            tag="Live",
        ),
    )


def issue(ring: KeyRing, *scopes: str, name: str = "test") -> NewKey:
    made = new_key(uuid4())
    ring.add(ApiKey(key_id=uuid4(), name=name, hash=made.hash, prefix=made.prefix, scopes=scopes))
    return made


class Site:
    """The server's address and a client that holds an all-scopes key."""

    def __init__(self, url: str, port: int, ring: KeyRing, key: str, client: ClientSession) -> None:
        self.url, self.port, self.ring, self.key, self.client = url, port, ring, key, client

    @property
    def auth(self) -> dict[str, str]:
        return {"X-Api-Key": self.key}

    async def raw(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Sends bytes as they are, and returns all that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    extra: Sequence[Endpoint] = (),
    *,
    patience: Patience | None = None,
    timeouts: Timeouts | None = None,
    desk: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    ring = KeyRing()
    key = issue(ring, "*", name="owner").secret
    app = application(
        endpoints=(*endpoints(), *extra),
        desk=Desk(identify=ring.identify, patience=patience or Patience(), **(desk or {})),
        **options,
    )
    server = await listen(app, host="127.0.0.1", port=0, timeouts=timeouts)
    try:
        async with ClientSession(server.url) as client:
            yield Site(server.url, server.port, ring, key, client)
    finally:
        await server.stop()
