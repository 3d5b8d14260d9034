"""The live hub of a process: every stream and every signal heard once, told to all who follow."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from msgspec import UNSET, UnsetType
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg

from app.http.auth import Principal
from app.http.endpoints import Endpoint
from app.live import sockets, streams
from app.live.clients import Clients, Guard
from app.live.conversation import Heartbeat
from app.live.feed import Feed
from app.live.limits import Limits
from app.live.readable import Readable
from app.live.signals import address_of, signalled
from app.live.topics import Topic
from infra.log import Log
from infra.telemetry.metrics import Metrics

Listener = Callable[[str, str, bytes], None]

SIGNALS_WAITING = 16 << 20
"""Bytes of signals that may wait to be forwarded; what is beyond is lost."""


class Hub:
    """What the live endpoints stand on. Run it beside the server, and close it when the server stops."""

    def __init__(
        self,
        *,
        nc: Nats,
        log: Log,
        readable: Readable,
        topics: Iterable[Topic],
        metrics: Metrics,
        still_valid: Callable[[Principal], bool],
        ping_interval: float,
        pong_timeout: float,
        limits: Limits | None = None,
    ) -> None:
        """`still_valid` is asked every few seconds; times are in seconds."""
        limits = limits or Limits()
        self._nc = nc
        self._topics = {each.name: each for each in topics}
        self.heartbeat = Heartbeat(ping_interval=ping_interval, pong_timeout=pong_timeout)
        self._listeners: dict[str, Listener] = {}
        self._hearing: dict[str, list[Topic]] = defaultdict(list)
        for each in self._topics.values():
            if each.hears:
                self._hearing[each.hears].append(each)
        self._feeds = {
            stream: Feed(
                stream,
                nc=nc,
                log=log,
                readable=readable,
                topics=[each for each in self._topics.values() if each.stream == stream],
                limits=limits,
            )
            for stream in {each.stream for each in self._topics.values()}
        }
        self.clients = Clients(
            self._topics, self._feeds, limits=limits, metrics=metrics, still_valid=still_valid
        )

    def endpoints(self) -> tuple[Endpoint, ...]:
        """`/v1/ws` and `/v1/events`."""
        return (
            sockets.endpoint(self.clients, self.heartbeat),
            streams.endpoint(self.clients, heartbeat=self.heartbeat.ping_interval),
        )

    def feed(self, stream: str) -> Feed:
        """The events of a stream that some topic is of."""
        return self._feeds[stream]

    def listen(self, topic: str, listener: Listener) -> None:
        """Call this with every signal of a topic, whoever follows it: its address's id, its name and payload."""
        self._listeners[topic] = listener

    def guard(self, topic: str, guard: Guard) -> None:
        """Ask this before somebody follows an address of a topic."""
        self.clients.guards[topic] = guard

    async def run(self) -> None:
        """Tell what happens, for ever. While NATS or the database is away clients stay, and miss nothing."""
        await self._nc.subscribe("live.>", cb=self._signal, pending_bytes_limit=SIGNALS_WAITING)
        async with asyncio.TaskGroup() as group:
            for feed in self._feeds.values():
                group.create_task(feed.run(), name=f"live {feed.stream}")
            group.create_task(self.clients.check_keys(), name="live keys")

    async def close(self) -> None:
        """Send everybody away, with the cursors to come back with."""
        await self.clients.close()

    async def _signal(self, heard: Msg) -> None:
        meant = address_of(self._topics, heard.subject)
        if meant is None:
            return
        address, signal = meant
        if listener := self._listeners.get(address.topic.name):
            listener(address.id, signal, heard.data)
        followed = self._feeds[address.topic.stream].followers(str(address))
        if followed and address.topic.withholds(signal, heard.data):
            return
        told = self._forward(address.topic.stream, str(address), signal, heard.data)
        for other in self._hearing.get(address.topic.name, ()):
            told |= self._forward(other.stream, other.name, signal, heard.data, about=address.id)
        if told:
            await asyncio.sleep(0)  # writers get their turn: else a burst would be left out for everybody

    def _forward(
        self, stream: str, address: str, signal: str, payload: bytes, about: str | UnsetType = UNSET
    ) -> bool:
        """Tell those who follow an address; whether there are any."""
        followers = self._feeds[stream].followers(address)
        if not followers or (told := signalled(address, signal, payload, about)) is None:
            return False
        for each in followers:
            each.outbox.offer(told)
        return True
