"""`GET /v1/ws`: topics over a WebSocket."""

import asyncio
import time

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from app.http.auth import ANY_KEY
from app.http.bodies import invalid
from app.http.endpoints import Call, Endpoint
from app.http.problems import Malformed, RateLimited
from app.live.client import GRACE, SLOW, Client, Farewell
from app.live.clients import Clients, cursors, listed
from app.live.limits import Allowance
from app.live.messages import (
    ECHO,
    PROBE,
    Message,
    Mistake,
    Ping,
    Pong,
    Request,
    Subscribe,
    Unsubscribe,
    Unsubscribed,
    message,
)
from app.live.outbox import Outbox
from handlers.refusals import Forbidden, Invalid, Refusal
from infra.telemetry.metrics import Metrics

POLICY = 1008
FORGIVEN = 1 / 30
"""Mistakes a second that are not held against a client."""
FRAMES = {PROBE: WSMsgType.PING, ECHO: WSMsgType.PONG}
OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class SocketQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Topics to follow from the start; more can be asked for on the socket."""

    topics: str = ""
    """Separated by commas."""
    since: str | None = msgspec.field(default=None, name="from")
    """The cursor behind which they begin."""


_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def endpoint(clients: Clients, *, ping_interval: float, pong_timeout: float) -> Endpoint:
    """The WebSocket. Times are in seconds."""
    silence = pong_timeout if pong_timeout > ping_interval else ping_interval + pong_timeout

    async def socket(call: Call[SocketQuery, None]) -> web.StreamResponse:
        addresses = clients.find(call.principal, listed(call.query.topics))
        since = cursors(call.query.since)
        with clients.admit("ws", call) as client:
            ws = web.WebSocketResponse(
                autoping=False, compress=False, max_msg_size=clients.limits.message_bytes, timeout=GRACE
            )
            for each in addresses:
                clients.follow(client, [each], since)
            await ws.prepare(call.request)
            await client.converse(
                write=_write(ws, client.outbox, clients.metrics),
                read=_Hearing(ws, client, clients, ping_interval=ping_interval, silence=silence).run(),
            )
            if client.farewell:
                await _close(ws, client, client.farewell)
        return ws

    return Endpoint(
        method="GET",
        path="/v1/ws",
        handle=socket,
        summary="Follow topics over a WebSocket",
        description="Each topic needs a scope of its own. /asyncapi.json describes the messages.",
        tag="live",
        scope=ANY_KEY,
        query=SocketQuery,
        status=101,
        live=True,
        refusals=(RateLimited, Invalid, Forbidden),
    )


async def _close(ws: web.WebSocketResponse, client: Client, farewell: Farewell) -> None:
    try:
        async with asyncio.timeout(GRACE):
            await ws.close(code=farewell.code, message=farewell.reason.encode())
    except TimeoutError:
        client.abort()


async def _write(ws: web.WebSocketResponse, outbox: Outbox, metrics: Metrics) -> None:
    while said := await outbox.take():
        await ws.send_frame(said.payload, FRAMES.get(said.type, WSMsgType.TEXT))
        metrics.sent()


class _Hearing:
    """What a client says, and what is made of it."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        client: Client,
        clients: Clients,
        *,
        ping_interval: float,
        silence: float,
    ) -> None:
        self._ws = ws
        self._client = client
        self._clients = clients
        self._ping_interval = ping_interval
        self._silence = silence
        limits, now = clients.limits, time.monotonic()
        self._messages = Allowance(limits.messages_at_once, limits.messages_per_second, now)
        self._mistakes = Allowance(limits.mistakes, FORGIVEN, now)

    async def run(self) -> None:
        """Until the client leaves, is silent for too long or has made too many mistakes."""
        while not self._client.farewell:
            heard = await self._hear()
            if heard.type in OVER:
                return
            try:
                if not self._messages.take(time.monotonic()):
                    raise RateLimited("RATE_LIMITED", "Too many messages; send them more slowly.")
                self._follow(heard)
            except Refusal as refusal:
                self._reject(refusal)

    async def _hear(self) -> WSMessage:
        """The next frame. A client that says nothing is asked whether it is there, and sent away without an answer."""
        end = time.monotonic() + self._silence
        while (left := end - time.monotonic()) > 0:
            try:
                return await self._ws.receive(min(left, self._ping_interval))
            except TimeoutError:
                self._client.outbox.put(Message(PROBE, b""))
        self._client.end(SLOW)
        return WSMessage(WSMsgType.CLOSING, None, None)

    def _follow(self, heard: WSMessage) -> None:
        match heard.type:
            case WSMsgType.PING:
                self._client.outbox.put(Message(ECHO, heard.data))
            case WSMsgType.TEXT:
                self._do(_read(heard.data))
            case WSMsgType.BINARY:
                raise Malformed("TEXT_EXPECTED", "Send JSON as text, not as binary.")

    def _reject(self, refusal: Refusal) -> None:
        self._client.outbox.put(message(Mistake(code=refusal.code, detail=refusal.detail)))
        if not self._mistakes.take(time.monotonic()):
            self._client.end(POLICY, "too many messages that could not be followed")

    def _do(self, request: Request) -> None:
        client, clients = self._client, self._clients
        match request:
            case Ping():
                client.outbox.put(message(Pong()))
            case Subscribe(topic=topic, since=since):
                clients.follow(client, clients.find(client.principal, [topic]), cursors(since))
            case Unsubscribe(topic=topic):
                [address] = clients.find(client.principal, [topic])
                client.leave(str(address))
                client.outbox.put(message(Unsubscribed(topic=str(address))))


def _read(data: str) -> Request:
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise invalid("INVALID_MESSAGE", error) from None
    except (msgspec.DecodeError, RecursionError):
        raise Malformed("MALFORMED_JSON", "This is not JSON that can be read.") from None
