"""A WebSocket from its opening to its close: frames in, frames out, heartbeats, and what one client may take."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from aiohttp import WSMessage, WSMsgType, web

from app.http.endpoints import Call
from app.http.failures import outage_of
from app.http.problems import Malformed, RateLimited, UpgradeNeeded
from app.live.client import GRACE, SLOW, Client, Farewell
from app.live.clients import Clients
from app.live.limits import Allowance
from app.live.messages import ECHO, PROBE, Message
from app.live.outbox import Outbox
from handlers.refusals import Conflict, Refusal, Unavailable
from infra.telemetry.metrics import Metrics

POLICY = 1008
FORGIVEN = 1 / 30
"""Mistakes a second that are not held against a client."""
FRAMES = {PROBE: WSMsgType.PING, ECHO: WSMsgType.PONG}
OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Dialect(Protocol):
    """What is understood on a socket, and how it is said that something was not."""

    async def hear(self, text: str) -> None:
        """Do what a client asks. May be cancelled. Raises `Refusal`."""
        ...

    def refuse(self, refusal: Refusal) -> Message:
        """How a refusal is said."""
        ...


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """In seconds."""

    ping_interval: float
    pong_timeout: float

    @property
    def silence(self) -> float:
        """After which a client is taken for gone."""
        late = self.pong_timeout > self.ping_interval
        return self.pong_timeout if late else self.ping_interval + self.pong_timeout


async def converse(
    call: Call[Any, Any],
    client: Client,
    clients: Clients,
    dialect: Dialect,
    heartbeat: Heartbeat,
    *,
    largest: int | None = None,
) -> web.WebSocketResponse:
    """Open the socket, and talk until either side ends it. `largest` is of one message, in bytes.

    Raises `UpgradeNeeded` when the request asks for no socket.
    """
    ws = web.WebSocketResponse(
        autoping=False, compress=False, max_msg_size=largest or clients.limits.message_bytes, timeout=GRACE
    )
    if not ws.can_prepare(call.request):
        raise UpgradeNeeded(
            "UPGRADE_NEEDED", "This is a WebSocket; open it as one. /v1/events tells of topics without."
        )
    await ws.prepare(call.request)
    await client.converse(
        write=_write(ws, client.outbox, clients.metrics),
        read=_Hearing(ws, client, clients, dialect, heartbeat, away=partial(outage_of, call.request)).run(),
    )
    if client.farewell:
        await _close(ws, client, client.farewell)
    return ws


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
        dialect: Dialect,
        heartbeat: Heartbeat,
        *,
        away: Callable[[Exception], Unavailable | None],
    ) -> None:
        self._ws = ws
        self._away = away
        self._client = client
        self._dialect = dialect
        self._heartbeat = heartbeat
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
                await self._follow(heard)
            except Refusal as refusal:
                self._reject(refusal)
            except Exception as failure:
                if (away := self._away(failure)) is None:
                    raise
                self._reject(away)  # the socket stays: what it is told needs nothing of what is away

    async def _hear(self) -> WSMessage:
        """The next frame. A client that says nothing is asked whether it is there, and sent away without an answer."""
        end = time.monotonic() + self._heartbeat.silence
        while (left := end - time.monotonic()) > 0:
            try:
                return await self._ws.receive(min(left, self._heartbeat.ping_interval))
            except TimeoutError:
                self._client.outbox.put(Message(PROBE, b""))
        self._client.end(SLOW)
        return WSMessage(WSMsgType.CLOSING, None, None)

    async def _follow(self, heard: WSMessage) -> None:
        match heard.type:
            case WSMsgType.PING:
                self._client.outbox.put(Message(ECHO, heard.data))
            case WSMsgType.TEXT:
                await self._dialect.hear(heard.data)
            case WSMsgType.BINARY:
                raise Malformed("TEXT_EXPECTED", "Send JSON as text, not as binary.")

    def _reject(self, refusal: Refusal) -> None:
        self._client.outbox.put(self._dialect.refuse(refusal))
        mistaken = not isinstance(refusal, Unavailable | Conflict)
        if mistaken and not self._mistakes.take(time.monotonic()):
            self._client.end(POLICY, "too many messages that could not be followed")
