"""Following topics: over a WebSocket while one can be had, else by polling; nothing missed when a connection breaks."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias
from uuid import UUID

import aiohttp
import msgspec

from app.client.errors import Refused
from app.client.patience import Patience
from app.client.sse import blocks
from app.client.transport import AWAY, Transport
from app.live.messages import Gap, Happened, Signalled, Subscribed

Message: TypeAlias = Subscribed | Happened[Any] | Signalled | Gap
"""What is told: the topics that are followed now, events, signals that matter only now, and gaps after which the state
is to be read anew."""

UPGRADES_FAILED = 2
"""Broken upgrades in a row after which polling is tried instead."""
HEARTBEAT = 20.0
SILENT = 15.0
"""Seconds after which a WebSocket that has not said what it follows is taken for one that lets nothing through."""
POLLED_FOR = 120.0
"""Seconds of polling after which a WebSocket is tried again."""
GONE = frozenset({1008})
"""Close codes after which coming back is no use."""

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class NoWebSocket(Exception):
    """Something on the way refuses upgrades."""


class Following:
    """Topics from behind a cursor. Iterate over `messages`; what breaks is taken up again where it broke."""

    def __init__(
        self,
        transport: Transport,
        topics: Sequence[str],
        *,
        since: str | None,
        job_ids: Sequence[UUID] = (),
        patience: Patience,
        poll: float,
    ) -> None:
        """`poll` is how many seconds an answer to a poll may take."""
        self._transport = transport
        self._wanted = {"topics": ",".join(topics)}
        if job_ids:
            self._wanted["jobIds"] = ",".join(map(str, job_ids))
        self._patience = patience
        self._poll = poll
        self._reached = dict(each.split("@") for each in since.split(",")) if since else {}
        self._failures = 0
        self._upgrades_failed = 0
        self._polling_since = 0.0
        self.polling = False
        """Whether WebSockets could not be had."""

    @property
    def cursor(self) -> str | None:
        """Up to where everything has been told; one that comes back with it misses nothing."""
        return ",".join(f"{stream}@{at}" for stream, at in self._reached.items()) or None

    async def messages(self) -> AsyncGenerator[Message]:
        """For ever. Raises `Refused` where coming back is no use, such as for a topic that is not there."""
        while True:
            try:
                async with aclosing(self._polled() if self.polling else self._socket()) as told:
                    async for message in told:
                        self._failures = 0
                        self._note(message)
                        yield message
                if self.polling:
                    self._tire_of_polling()
                    continue
            except NoWebSocket:
                self._upgrades_failed += 1
                self._begin_polling()
            except Refused as no:
                if not no.perhaps_later:
                    raise
                await asyncio.sleep(no.retry_after or 0.0)
            except AWAY:
                pass
            self._failures += 1
            await asyncio.sleep(self._patience.delay(self._failures))

    def _begin_polling(self) -> None:
        if self._upgrades_failed >= UPGRADES_FAILED:
            self.polling, self._polling_since, self._failures = True, time.monotonic(), 0

    def _tire_of_polling(self) -> None:
        if time.monotonic() - self._polling_since > POLLED_FOR:
            self.polling = False

    def _note(self, message: Message) -> None:
        if not isinstance(message, Signalled):
            stream, _, at = message.cursor.partition("@")
            self._reached[stream] = at

    async def _socket(self) -> AsyncGenerator[Message]:
        query = self._wanted | ({"from": self.cursor} if self.cursor else {})
        try:
            ws = await self._transport.http.ws_connect(
                self._transport.at("/v1/ws"), params=query, heartbeat=HEARTBEAT, max_msg_size=0
            )
        except aiohttp.ClientConnectorError:
            raise  # nobody is there at all
        except (aiohttp.WSServerHandshakeError, *AWAY) as broken:
            await self._ask_why()
            raise NoWebSocket from broken
        async with ws:
            try:
                yield await self._first(ws)
                self._upgrades_failed = 0
                async for frame in ws:
                    if frame.type == aiohttp.WSMsgType.TEXT and (message := _read(frame.data)):
                        yield message
            except TimeoutError as silent:
                raise NoWebSocket from silent
        if ws.close_code in GONE:
            await self._ask_why()

    async def _first(self, ws: aiohttp.ClientWebSocketResponse) -> Message:
        """What it follows. Raises `NoWebSocket`, `TimeoutError`."""
        async with asyncio.timeout(SILENT):
            async for frame in ws:
                if frame.type == aiohttp.WSMsgType.TEXT and (message := _read(frame.data)):
                    return message
        await self._ask_why()
        raise NoWebSocket

    async def _ask_why(self) -> None:
        """The same in plain HTTP: our own server says in words what is wrong, and answers if only upgrades are."""
        query = {**self._wanted, "wait": 0.1}
        async with self._transport.streaming("/v1/events", query=query):
            return

    async def _polled(self) -> AsyncGenerator[Message]:
        query = {**self._wanted, "wait": self._poll, "from": self.cursor}
        async with (
            self._transport.streaming("/v1/events", query=query) as answer,
            aclosing(blocks(answer)) as told,
        ):
            async for block in told:
                if message := _read(block.data):
                    yield message


def _read(data: str) -> Message | None:
    """A message; None for what this client need not know, such as the answer to a ping."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError:
        return None
