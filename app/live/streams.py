"""`GET /v1/events`: topics as Server-Sent Events, for whoever only listens."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from app.http.auth import ANY_KEY
from app.http.endpoints import Call, Endpoint
from app.http.problems import RateLimited
from app.live.client import SLOW, Client
from app.live.clients import Clients, cursors
from app.live.messages import Message
from handlers.refusals import Forbidden, Invalid

HEARTBEAT = b": still here\n\n"
RETRY = b"retry: 1000\n\n"
"""Milliseconds after which a browser comes back."""
LAST = "Last-Event-ID"


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to follow."""

    topics: str
    """Separated by commas."""
    since: str | None = msgspec.field(default=None, name="from")
    """The cursor behind which they begin; the header Last-Event-ID is newer where it is sent."""


def endpoint(clients: Clients, *, heartbeat: float, patience: float) -> Endpoint:
    """The event stream. `patience` is how long a client may not read, in seconds."""

    async def stream(call: Call[StreamQuery, None]) -> web.StreamResponse:
        clients.check_room(call.principal)
        wanted = [each for each in call.query.topics.split(",") if each]
        if not wanted:
            raise Invalid("TOPICS_REQUIRED", "Name the topics to follow: ?topics=alerts.", field="topics")
        addresses = clients.find(call.principal, wanted)
        since = cursors(call.request.headers.get(LAST) or call.query.since)
        with clients.admit("sse", call) as client:
            clients.follow(client, addresses, since)
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
            )
            await response.prepare(call.request)
            await _talk(response, client, clients, heartbeat, patience)
        return response

    return Endpoint(
        method="GET",
        path="/v1/events",
        handle=stream,
        summary="Follow topics as Server-Sent Events",
        description="Each topic needs a scope of its own. /asyncapi.json describes the messages.",
        tag="live",
        scope=ANY_KEY,
        query=StreamQuery,
        media_type="text/event-stream",
        live=True,
        refusals=(RateLimited, Invalid, Forbidden),
    )


async def _talk(
    response: web.StreamResponse, client: Client, clients: Clients, heartbeat: float, patience: float
) -> None:
    writing = asyncio.create_task(_write(response, client, clients, heartbeat, patience), name="events write")
    try:
        ends: tuple[asyncio.Future[Any], ...] = (writing, client.ended)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writing.cancel()
        [outcome] = await asyncio.gather(writing, return_exceptions=True)
    if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
        raise outcome
    if client.ended.done() and client.ended.result().code == SLOW:
        client.abort()


async def _write(
    response: web.StreamResponse, client: Client, clients: Clients, heartbeat: float, patience: float
) -> None:
    reached: dict[str, int] = {}
    await response.write(RETRY)
    while True:
        try:
            async with asyncio.timeout(heartbeat):
                said = await client.outbox.take()
        except TimeoutError:
            block = HEARTBEAT
        else:
            block = _block(said, reached)
            clients.metrics.sent()
        try:
            async with asyncio.timeout(patience):
                await response.write(block)
        except TimeoutError:
            client.end(SLOW)
            return


def _block(said: Message, reached: dict[str, int]) -> bytes:
    """A message as an event stream has it. Its id is where all streams are: what a browser comes back with."""
    lines: list[str] = []
    if said.position:
        reached[said.position.stream] = said.position.sequence
        lines.append("id: " + ",".join(f"{stream}@{at}" for stream, at in reached.items()))
    lines.append(f"event: {said.type}\ndata: ")
    return "\n".join(lines).encode() + said.payload + b"\n\n"
