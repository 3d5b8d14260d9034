"""A small context with a read model, and API processes that tell of it live, each with a hub and a server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from nats.aio.client import Client as Nats

from app.http.keys import ApiKey, KeyRing, new_key
from app.http.routing import Desk
from app.http.server import Listening, application, listen
from app.live.hub import Hub
from app.live.limits import Limits
from app.live.readable import Readable
from app.live.topics import Topic
from events.catalogue import Catalogue
from events.envelope import Event
from events.ids import new_id
from infra import jetstream, streams
from infra.log import Log
from infra.telemetry.metrics import Metrics
from projections.runtime import Projector
from projections.schema import migrate
from tests.kernel.ledger import intent
from tests.projections.shop import Shop, new_shop


async def no_blob(key: str) -> bytes:
    raise AssertionError(key)


def topics_of(shop: Shop) -> tuple[Topic, ...]:
    entry = shop.Paid.__mro__[1]
    return (
        Topic(
            name="accounts",
            stream=shop.stream,
            scope="shop:read",
            events=(entry,),
            filters=lambda id: (f"{shop.context}.account.{id}.>",),
            of=lambda recorded: (str(recorded.event.account_id),),
            about="One account.",
        ),
        Topic(
            name="payments",
            stream=shop.stream,
            scope="payments:read",
            events=(shop.Paid,),
            filters=lambda _: (f"{shop.context}.account.*.paid",),
            of=lambda _: ("",),
            has_ids=False,
            hears="accounts",
            about="Every payment.",
        ),
    )


class Office:
    """One API process."""

    def __init__(
        self, server: Listening, client: ClientSession, hub: Hub, readable: Readable, metrics: Metrics
    ):
        self.stop, self.port, self.client, self.hub = server.stop, server.port, client, hub
        self.readable, self.metrics = readable, metrics

    async def socket(self, *topics: str, key: str | None = None, **query: str) -> "Socket":
        params = {**query, **({"topics": ",".join(topics)} if topics else {})}
        headers = {"X-Api-Key": key} if key else {}
        return Socket(await self.client.ws_connect("/v1/ws", params=params, headers=headers))

    def figure(self, name: str) -> float:
        return sum(
            sample.value
            for metric in self.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == f"headwater_{name}"
        )


class Socket:
    """A WebSocket as a test talks on it."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws

    async def say(self, action: str, topic: str | None = None, since: str | None = None) -> None:
        said = {"action": action, "topic": topic, "from": since}
        await self.ws.send_json({name: value for name, value in said.items() if value is not None})

    async def hear(self, kind: str | None = None) -> dict[str, Any]:
        async with asyncio.timeout(60):
            said = await self.ws.receive_json()
        assert kind is None or said["type"] == kind, said
        return said

    async def follow(self, topic: str, since: str | None = None) -> dict[str, Any]:
        await self.say("subscribe", topic, since)
        return await self.hear("subscribed")

    async def positions(self, count: int) -> list[int]:
        return [position_of(await self.hear("event")) for _ in range(count)]

    async def nothing_more(self) -> None:
        """Whatever was to be said before now has been said."""
        await self.say("ping")
        await self.hear("pong")

    def hang_up(self) -> None:
        """Break the connection without a word."""
        connection = self.ws._response.connection
        if connection and connection.transport:
            connection.transport.abort()

    async def farewell(self) -> tuple[int, str]:
        """The close code and its reason, after whatever was on its way."""
        async with asyncio.timeout(60):
            while (frame := await self.ws.receive()).type is WSMsgType.TEXT:
                pass
        return (frame.data, frame.extra or "") if frame.type is WSMsgType.CLOSE else (1006, "")


def position_of(said: dict[str, Any]) -> int:
    return int(said["cursor"].partition("@")[2])


class Site:
    """The log, the read model and everybody's keys."""

    def __init__(self, nc: Nats, log: Log, shop: Shop, dsn: str) -> None:
        self.nc, self.log, self.shop, self.dsn = nc, log, shop, dsn
        self.ring = KeyRing()
        self.key = self.issue("*")
        self._past: dict[UUID, list[int]] = {}
        self._projecting: asyncio.Task[None] | None = None

    def issue(self, *scopes: str) -> str:
        made = new_key(uuid4())
        self.ring.add(ApiKey(key_id=uuid4(), name="test", hash=made.hash, prefix=made.prefix, scopes=scopes))
        return made.secret

    def cursor(self, position: int) -> str:
        return f"{self.shop.stream}@{position}"

    async def write(self, account: UUID, count: int = 1, *, words: int = 1) -> list[int]:
        """Events of one account, in one batch; their positions."""
        past = self._past.setdefault(account, [])
        events: list[Event] = [
            self.shop.Opened(account_id=account, owner="word " * words)
            if words > 1 or not past
            else self.shop.Paid(account_id=account, n=len(past) + n, amount=1)
            for n in range(count)
        ]
        return await self.append(account, events)

    async def append(self, account: UUID, events: list[Event]) -> list[int]:
        past = self._past.setdefault(account, [])
        recorded = await self.log.append(events, intent(), past=past)
        past += (positions := [each.position for each in recorded])
        return positions

    async def account(self, count: int = 1) -> UUID:
        """An account with so many events."""
        account = new_id()
        for _ in range(count):
            await self.write(account)
        return account

    def project(self) -> None:
        """Keep the read model up to date from now on."""
        projector = Projector(self.shop.projection, log=self.log, dsn=self.dsn, fetch=no_blob)
        self._projecting = asyncio.create_task(projector.run())

    async def hold(self) -> None:
        """Let the read model fall behind."""
        if self._projecting:
            self._projecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._projecting
            self._projecting = None

    async def settle(self) -> None:
        """Wait until everything can be read."""
        end = await self.log.last_position(self.shop.stream)
        connection = await asyncpg.connect(self.dsn)
        asked = "select position from headwater.checkpoints where projection = $1"
        async with asyncio.timeout(60):
            while await connection.fetchval(asked, self.shop.context) < end:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await connection.close()

    @asynccontextmanager
    async def office(
        self,
        *,
        limits: Limits | None = None,
        ping_interval: float = 30,
        pong_timeout: float = 60,
        nc: Nats | None = None,
        catalogue: Catalogue | None = None,
        read_models: bool = True,
    ) -> AsyncIterator[Office]:
        """A process that serves what is live."""
        readable = Readable(self.dsn, {self.shop.context: self.shop.stream} if read_models else {})
        metrics = Metrics()
        nc = nc or self.nc
        hub = Hub(
            nc=nc,
            log=Log(nc, catalogue or self.shop.catalogue),
            readable=readable,
            topics=topics_of(self.shop),
            metrics=metrics,
            still_valid=self.ring.holds,
            ping_interval=ping_interval,
            pong_timeout=pong_timeout,
            limits=limits,
        )
        parts = [asyncio.create_task(readable.run()), asyncio.create_task(hub.run())]
        app = application(
            endpoints=hub.endpoints(),
            desk=Desk(identify=self.ring.identify, catch_up=readable.catch_up),
            on_shutdown=(hub.close,),
        )
        server = await listen(app, host="127.0.0.1", port=0)
        try:
            async with ClientSession(server.url, headers={"X-Api-Key": self.key}) as client:
                yield Office(server, client, hub, readable, metrics)
        finally:
            await server.stop()
            for part in parts:
                assert not part.done(), part
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)


@asynccontextmanager
async def a_site(nats_url: str, dsn: str) -> AsyncIterator[Site]:
    """An empty shop whose read model is kept up to date."""
    async with AsyncExitStack() as stack:
        nc = await jetstream.connect(nats_url, name="tests")
        stack.push_async_callback(nc.close)
        shop = new_shop()
        await streams.prepare(nc, [streams.context_stream(shop.context, 1), streams.live_stream()])
        connection = await asyncpg.connect(dsn)
        await migrate(connection, [shop.projection])
        await connection.close()
        site = Site(nc, Log(nc, shop.catalogue), shop, dsn)
        stack.push_async_callback(site.hold)
        site.project()
        yield site


async def until(condition: Callable[[], object], within: float = 60.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.01)


def account_of(account: UUID) -> str:
    return f"accounts:{account}"


async def told_up_to(office: Office, position: int) -> None:
    """Wait until an office has told everybody of this position."""
    [feed] = office.hub._feeds.values()
    await until(lambda: feed.position >= position)
