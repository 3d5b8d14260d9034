"""A shop with its stream and its database, what is projected there, and what should be."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from nats.aio.client import Client

from events.envelope import Event, Recorded
from infra import jetstream, streams
from infra.embedded.nats import NatsServer
from infra.log import Log
from projections import checkpoints, schema
from projections.batch import Fetch, Halted
from projections.checkpoints import Checkpoint
from projections.projection import Projection
from projections.runtime import Observer, Projector
from tests.kernel.wiring import until
from tests.projections.naive import Tables, naive
from tests.projections.shop import ACCOUNTS, LINES, NOTES, Shop, new_shop, store


async def no_blobs(_: str) -> bytes | None:
    return None


@dataclass
class Seen:
    """What an observer was told."""

    positions: list[int] = field(default_factory=list)
    """Of events, in the order in which they were applied."""
    halted: list[Halted] = field(default_factory=list)
    resumed: int = 0

    def observer(self) -> Observer:
        async def halted(_: Projection, why: Halted) -> None:
            self.halted.append(why)

        async def resumed(_: Projection) -> None:
            self.resumed += 1

        return Observer(applied=self._applied, halted=halted, resumed=resumed)

    def _applied(self, _: Projection, events: Sequence[Recorded[Event]], *__: float) -> None:
        self.positions += [each.position for each in events]


@dataclass
class Site:
    nc: Client
    shop: Shop
    dsn: str
    db: asyncpg.Connection

    @property
    def log(self) -> Log:
        return Log(self.nc, self.shop.catalogue)

    async def migrate(self) -> list[str]:
        return await schema.migrate(self.db, [self.shop.projection])

    async def store(self, *events: Event) -> int:
        return await store(self.nc, self.shop, events)

    async def reserve(self) -> int:
        """Store what no projection looks at; its position."""
        subject = f"{self.shop.context}.unique.name.ada"
        return (await jetstream.publish(self.nc, jetstream.Message(subject, b"{}", {}))).seq

    @asynccontextmanager
    async def projecting(self, shop: Shop | None = None, fetch: Fetch = no_blobs) -> AsyncIterator[Seen]:
        """A projector of the shop, or of another version of it, at work."""
        seen = Seen()
        projection = (shop or self.shop).projection
        projector = Projector(projection, log=self.log, dsn=self.dsn, fetch=fetch, observer=seen.observer())
        task = asyncio.create_task(projector.run())
        try:
            yield seen
        finally:
            if task.done():
                task.result()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def checkpoint(self) -> Checkpoint:
        found = await checkpoints.read(self.db, self.shop.context)
        assert found
        return found

    async def until(self, position: int, *, within: float = 60) -> None:
        """Wait until the read model stands there."""

        async def there() -> bool:
            return (await self.checkpoint()).position >= position

        await until(there, within=within)

    async def until_halted(self, *, within: float = 60) -> Checkpoint:
        async def halted() -> bool:
            return (await self.checkpoint()).halted_position is not None

        await until(halted, within=within)
        return await self.checkpoint()

    async def rows(self) -> Tables:
        """What the read model holds."""
        found: Tables = {}
        for table in (ACCOUNTS, LINES, NOTES):
            rows = [
                dict(row) for row in await self.db.fetch(f"select * from {self.shop.context}.{table.name}")
            ]
            found[table.name] = {tuple(row[name] for name in table.key): row for row in rows}
        return found

    async def expected(self, *, notes: dict[str, str] | None = None, until: int | None = None) -> Tables:
        """What the log says that it should hold."""
        changes: list[Any] = []
        async for each in self.log.scan(self.shop.stream, until=until):
            changes += self.shop.rows(each, (notes or {}).get(getattr(each.event, "blob", "")))
        return naive(changes, {table.name: {} for table in (ACCOUNTS, LINES, NOTES)})


@asynccontextmanager
async def site_on(nats: NatsServer, dsn: str, shop: Shop | None = None) -> AsyncIterator[Site]:
    """A site on these servers, its stream made if it is missing."""
    shop = shop or new_shop()
    nc = await jetstream.connect(nats.url, name="tests")
    db = await asyncpg.connect(dsn)
    try:
        await streams.prepare(nc, [streams.context_stream(shop.context, 1)])
        yield Site(nc, shop, dsn, db)
    finally:
        db.terminate()
        await nc.close()
