"""Everybody who is connected: let in, subscribed, and sent away."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.http.auth import Principal, authorize
from app.http.endpoints import Call
from app.http.positions import Position, parse_position
from app.http.problems import RateLimited
from app.live.client import GOING_AWAY, SLOW, Client
from app.live.feed import Feed
from app.live.limits import Limits
from app.live.topics import Address, Topic, find, narrowed
from handlers.refusals import Invalid
from infra.telemetry.metrics import Metrics

KEY_GONE = 4401
CHECK = 2.0
"""Seconds between two looks at whether everybody's key still holds."""
FAREWELLS = 1.5
"""Seconds that clients have to take their leave when the process stops."""


Guard = Callable[[UUID, Principal], Awaitable[None]]
"""Raises `Forbidden` for who may not follow what has this id, though it holds the topic's scope."""


class Clients:
    """The clients of a process, and what they can follow."""

    def __init__(
        self,
        topics: Mapping[str, Topic],
        feeds: Mapping[str, Feed],
        *,
        limits: Limits,
        metrics: Metrics,
        still_valid: Callable[[Principal], bool],
    ) -> None:
        self.limits = limits
        self.metrics = metrics
        self._topics = topics
        self._feeds = feeds
        self._still_valid = still_valid
        self.guards: dict[str, Guard] = {}
        """By the name of a topic."""
        self._here: set[Client] = set()
        self._held: Counter[str] = Counter()
        """How many connections of each key."""
        self._closing = False
        self._nobody = asyncio.Event()
        self._nobody.set()

    @contextmanager
    def admit(self, kind: Literal["ws", "sse"], call: Call[Any, Any]) -> Iterator[Client]:
        """A client, for as long as its connection lasts. Raises `RateLimited`."""
        self._check_room(call.principal)
        transport = call.request.transport
        if transport is None:
            raise ConnectionResetError("the client has hung up already")
        client = Client(call.principal, self.limits, transport)
        self._here.add(client)
        self._held[call.principal.id] += 1
        self._nobody.clear()
        if self._closing:
            client.end(GOING_AWAY)
        try:
            with self.metrics.connection(kind):
                yield client
        finally:
            client.leave_all()
            if client.farewell and client.farewell.code == SLOW:
                self.metrics.closed_slow()
            self._here.discard(client)
            self._held[call.principal.id] -= 1
            if not self._here:
                self._nobody.set()

    def _check_room(self, principal: Principal) -> None:
        held = self._held[principal.id]
        if held >= self.limits.connections:
            raise RateLimited(
                "TOO_MANY_CONNECTIONS",
                f"This key has {held} live connections, which is all it may have. Close one.",
                retry_after=5,
            )

    async def find(
        self, principal: Principal, topics: Sequence[str], filter: Mapping[str, Sequence[str]]
    ) -> list[Address]:
        """The addresses that a client names. Raises `Invalid`, and `Forbidden` for those its key may not follow."""
        found = [find(self._topics, each) for each in dict.fromkeys(topics)]
        for each in found:
            authorize(principal, each.topic.scope)
            if guard := self.guards.get(each.topic.name):
                await guard(UUID(each.id), principal)
        return narrowed(found, filter)

    def follow(self, client: Client, addresses: Sequence[Address], cursors: Sequence[Position]) -> None:
        """Follow these too; those of one stream together. With cursors, from behind the one of their stream.

        What was followed already begins anew. Raises `Invalid` when that is too much.
        """
        if len(client) + sum(each not in client for each in addresses) > self.limits.topics:
            raise Invalid("TOO_MANY_TOPICS", f"One connection follows {self.limits.topics} topics at most.")
        for stream, group in groupby(sorted(addresses, key=_stream), key=_stream):
            since = next((each for each in cursors if each.stream == stream), next(iter(cursors), None))
            client.follow(self._feeds[stream], list(group), since)

    async def check_keys(self) -> None:
        """Send away whose key is revoked or expired, for ever."""
        while True:
            await asyncio.sleep(CHECK)
            for client in list(self._here):
                if not self._still_valid(client.principal):
                    client.end(KEY_GONE, "the key is revoked or expired")

    async def close(self) -> None:
        """Send everybody away, with the cursors to come back with."""
        self._closing = True
        for client in list(self._here):
            client.end(GOING_AWAY)
        try:
            async with asyncio.timeout(FAREWELLS):
                await self._nobody.wait()
        except TimeoutError:
            for client in list(self._here):
                client.abort()


def cursors(text: str | None) -> list[Position]:
    """`JOBSITE@12,OPERATIONS@3`, as ids of event streams and reasons of closed sockets have it. Raises `Malformed`."""
    return [parse_position(each, "from") for each in text.split(",")] if text else []


def listed(text: str) -> list[str]:
    """The topics, or the ids, in a query string, separated by commas."""
    return [each for each in text.split(",") if each]


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What to follow from the start."""

    topics: str = ""
    """Separated by commas."""
    since: str | None = msgspec.field(default=None, name="from")
    """The cursor behind which they begin."""
    job_ids: str = msgspec.field(default="", name="jobIds")
    """Of topics that can be narrowed, such as `notifications`: only these jobs, separated by commas."""

    @property
    def filter(self) -> Mapping[str, Sequence[str]]:
        return {"jobIds": listed(self.job_ids)} if self.job_ids else {}


def _stream(address: Address) -> str:
    return address.topic.stream
