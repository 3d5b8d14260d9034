"""`GET /v1/events`: topics as Server-Sent Events, for whoever only listens."""

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web

from app.http.auth import ANY_KEY
from app.http.endpoints import Call, Endpoint
from app.http.problems import RateLimited
from app.live.client import GRACE, Client
from app.live.clients import Clients, Following, cursors, listed
from app.live.messages import PROBE, Message
from app.live.outbox import Outbox
from handlers.refusals import Forbidden, Invalid
from infra.telemetry.metrics import Metrics

HEARTBEAT = b": still here\n\n"
HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
"""Proxies are asked not to wait for more before they pass something on."""
RETRY = b"retry: 1000\n\n"
"""Milliseconds after which a browser comes back."""
LAST = "Last-Event-ID"


class StreamQuery(Following, frozen=True, kw_only=True):
    """What to follow. The header Last-Event-ID is newer than `from` where it is sent."""

    topics: str
    """Separated by commas."""
    wait: Annotated[float, msgspec.Meta(ge=0.1, le=60)] | None = None
    """Seconds after which the answer ends: for who can only poll, behind a proxy that passes nothing on before that."""


def endpoint(clients: Clients, *, heartbeat: float) -> Endpoint:
    """The event stream, with a comment every `heartbeat` seconds."""

    async def stream(call: Call[StreamQuery, None]) -> web.StreamResponse:
        addresses = await clients.find(call.principal, listed(call.query.topics), call.query.filter)
        wait = call.query.wait
        since = cursors(call.request.headers.get(LAST) or call.query.since)
        if not addresses:
            raise Invalid("TOPICS_REQUIRED", "Name the topics to follow: ?topics=alerts.", field="topics")
        with clients.admit("sse", call) as client:
            clients.follow(client, addresses, since)
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(call.request)
            await client.converse(
                write=_write(response, client.outbox, clients.metrics),
                read=_breathe(client.outbox, heartbeat) if not wait else asyncio.sleep(wait),
            )
            await _end(response, client)
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


async def _write(response: web.StreamResponse, outbox: Outbox, metrics: Metrics) -> None:
    reached: dict[str, int] = {}
    await response.write(RETRY)
    while said := await outbox.take():
        await response.write(_block(said, reached))
        metrics.sent()


async def _breathe(outbox: Outbox, heartbeat: float) -> None:
    """Show that the stream is there; who has hung up is noticed when something is written."""
    while True:
        await asyncio.sleep(heartbeat)
        outbox.offer(Message(PROBE, b""))


async def _end(response: web.StreamResponse, client: Client) -> None:
    try:
        async with asyncio.timeout(GRACE):
            await response.write_eof()
    except TimeoutError:
        client.abort()
    except ConnectionError:
        return


def _block(said: Message, reached: dict[str, int]) -> bytes:
    """A message as an event stream has it. Its id is where all streams are: what a browser comes back with."""
    if said.type == PROBE:
        return HEARTBEAT
    lines = []
    if said.position:
        reached[said.position.stream] = said.position.sequence
        lines.append("id: " + ",".join(f"{stream}@{at}" for stream, at in reached.items()))
    lines.append(f"event: {said.type}\ndata: ")
    return "\n".join(lines).encode() + said.payload + b"\n\n"
