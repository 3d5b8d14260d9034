"""`GET /v1/ws`: topics over a WebSocket."""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from app.http.auth import ANY_KEY
from app.http.bodies import invalid
from app.http.endpoints import Call, Endpoint
from app.http.problems import Malformed, RateLimited
from app.live.client import SLOW, Client, Farewell
from app.live.clients import Clients, cursors
from app.live.limits import Allowance
from app.live.messages import Mistake, Ping, Pong, Request, Subscribe, Unsubscribe, Unsubscribed, message
from handlers.refusals import Refusal

POLICY = 1008
GRACE = 5.0
"""Seconds that a client has to answer a close frame."""
DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
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
        clients.check_room(call.principal)
        wanted = [each for each in call.query.topics.split(",") if each]
        addresses, since = clients.find(call.principal, wanted), cursors(call.query.since)
        ws = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=clients.limits.message_bytes, timeout=GRACE
        )
        await ws.prepare(call.request)
        with clients.admit("ws", call) as client:
            for each in addresses:
                clients.follow(client, [each], since)
            await _converse(ws, client, clients, ping_interval, silence)
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
        refusals=(RateLimited,),
    )


async def _converse(
    ws: web.WebSocketResponse, client: Client, clients: Clients, ping_interval: float, silence: float
) -> None:
    talks: list[asyncio.Future[Any]] = [
        asyncio.create_task(_write(ws, client, clients, ping_interval), name="socket write"),
        asyncio.create_task(_Hearing(ws, client, clients, silence).run(), name="socket read"),
        client.ended,
    ]
    try:
        await asyncio.wait(talks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for talk in talks[:2]:
            talk.cancel()
        outcomes = await asyncio.gather(*talks[:2], return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
            raise outcome
    if client.ended.done():
        await _close(ws, client, client.ended.result())


async def _close(ws: web.WebSocketResponse, client: Client, farewell: Farewell) -> None:
    try:
        async with asyncio.timeout(GRACE):
            await ws.close(code=farewell.code, message=farewell.reason.encode())
    except TimeoutError:
        client.abort()


async def _write(ws: web.WebSocketResponse, client: Client, clients: Clients, ping_interval: float) -> None:
    now = asyncio.get_running_loop().time
    ping_at = now() + ping_interval
    while True:
        if now() >= ping_at:
            await ws.ping()
            ping_at = now() + ping_interval
        try:
            async with asyncio.timeout_at(ping_at):
                said = await client.outbox.take()
        except TimeoutError:
            continue
        await ws.send_frame(said.payload, WSMsgType.TEXT)
        clients.metrics.sent()


class _Hearing:
    """What a client says, and what is made of it."""

    def __init__(self, ws: web.WebSocketResponse, client: Client, clients: Clients, silence: float) -> None:
        self._ws = ws
        self._client = client
        self._clients = clients
        self._silence = silence
        limits, now = clients.limits, time.monotonic()
        self._messages = Allowance(limits.messages_at_once, limits.messages_per_second, now)
        self._mistakes = Allowance(limits.mistakes, limits.mistakes / 600, now)

    async def run(self) -> None:
        """Until the client leaves, falls silent or has made too many mistakes."""
        while True:
            try:
                heard = await self._ws.receive(self._silence)
            except TimeoutError:
                self._client.end(SLOW)
                return
            if heard.type in OVER:
                return
            if heard.type is WSMsgType.PING:
                await self._ws.pong(heard.data)
            if heard.type is not WSMsgType.PONG:
                self._follow(heard.type, heard.data)

    def _follow(self, kind: WSMsgType, data: Any) -> None:
        try:
            if not self._messages.take(time.monotonic()):
                raise RateLimited("RATE_LIMITED", "Too many messages; send them more slowly.")
            if kind in DATA:
                self._do(_read(kind, data))
        except Refusal as refusal:
            self._client.outbox.put(message(Mistake(code=refusal.code, detail=refusal.detail)))
            if not self._mistakes.take(time.monotonic()):
                self._client.end(POLICY, "too many messages that could not be followed")

    def _do(self, request: Request) -> None:
        client, clients = self._client, self._clients
        match request:
            case Ping():
                client.outbox.put(message(Pong()))
            case Subscribe(topic=topic, since=since):
                addresses = clients.find(client.principal, [topic])
                client.leave(str(addresses[0]))
                clients.follow(client, addresses, cursors(since))
            case Unsubscribe(topic=topic):
                [address] = clients.find(client.principal, [topic])
                client.leave(str(address))
                client.outbox.put(message(Unsubscribed(topic=str(address))))


def _read(kind: WSMsgType, data: Any) -> Request:
    if kind is WSMsgType.BINARY:
        raise Malformed("TEXT_EXPECTED", "Send JSON as text, not as binary.")
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise invalid("INVALID_MESSAGE", error) from None
    except (msgspec.DecodeError, RecursionError):
        raise Malformed("MALFORMED_JSON", "This is not JSON that can be read.") from None
