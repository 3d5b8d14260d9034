"""A context of papers with blobs, on real servers: filed, copied, shredded. Made anew for each test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
from nats.aio.client import Client

from events.catalogue import Catalogue
from events.envelope import Event, Intent, Key, Recorded
from events.ids import new_id
from handlers.commands import Command, Commands, Decider
from handlers.handler import Attempt
from handlers.operations.decide import RecordErasure
from handlers.operations.erasing import eraser_of
from infra import jetstream, streams
from infra.blobs import once
from infra.blobs.objects import ObjectBlobs
from infra.custody import Custody
from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from infra.log import Log
from infra.read_models import ReadModels
from projections import schema
from projections.changes import Table, delete, upsert
from projections.projection import Projection
from projections.rebuild import Report, rebuild
from projections.runtime import Projector
from tests import servers

_numbers = itertools.count(1)

PAPERS = Table("papers", {"id": "uuid", "blob": "text not null"}, ("id",))


class File(Command, frozen=True, kw_only=True):
    paper_id: UUID
    blob: str
    refers_to: str | None = None


class Shred(Command, frozen=True, kw_only=True):
    paper_id: UUID


@dataclass
class Cabinet:
    """The context with everything that erasing needs."""

    context: str
    Filed: type[Any]
    Deleted: type[Any]
    nc: Client
    eraser: Client
    blobs: ObjectBlobs
    dsn: str

    @property
    def stream(self) -> str:
        return self.context.upper()

    @property
    def log(self) -> Log:
        return Log(self.nc, Catalogue([self.Filed, self.Deleted]))

    @property
    def commands(self) -> Commands:
        decider = Decider(self.context, "paper", (File, Shred), False, self._decide, self._evolve)
        return Commands(self.log, [decider], blobs=self.blobs)

    @cached_property
    def custody(self) -> Custody:
        return self.new_custody()

    def new_custody(self) -> Custody:
        """That of another process."""
        return Custody(ReadModels(self.dsn, self.log, {self.context: self.stream}), self.blobs)

    @property
    def projection(self) -> Projection:
        return Projection(self.context, 1, self.stream, (PAPERS,), self._rows)

    def _decide(self, command: Command, deleted: bool) -> Sequence[Event]:
        match command:
            case File(paper_id=paper, blob=blob, refers_to=other):
                return [] if deleted else [self.Filed(paper_id=paper, blob=blob, refers_to=other)]
            case Shred(paper_id=paper):
                return [] if deleted else [self.Deleted(paper_id=paper)]
        raise AssertionError(command)

    def _evolve(self, _: bool, event: Event) -> bool:
        return isinstance(event, self.Deleted)

    def _rows(self, recorded: Recorded[Any], _: None) -> Any:
        event = recorded.event
        if isinstance(event, self.Filed):
            yield upsert(PAPERS, id=event.paper_id, blob=event.blob)
        else:
            yield delete(PAPERS, id=event.paper_id)

    async def put(self, text: str) -> str:
        return (await self.blobs.put(once(text.encode()), media_type="text/plain")).key

    async def filed(self, *texts: str, paper: UUID | None = None) -> UUID:
        """A paper with as many blobs."""
        paper = paper or new_id()
        for text in texts:
            await self.commands.execute(File(paper_id=paper, blob=await self.put(text)), intent())
        return paper

    async def shredded(self, paper: UUID) -> Recorded[Any]:
        """Its tombstone."""
        await self.commands.execute(Shred(paper_id=paper), intent())
        return (await self.history(paper))[-1]

    async def history(self, paper: UUID) -> list[Recorded[Any]]:
        return await self.log.load(Key(self.context, "paper", paper))

    async def erase(self, tombstone: Recorded[Any], custody: Custody | None = None) -> RecordErasure:
        """What the handler does."""
        handler = eraser_of(self.Deleted, log=self.log, custody=custody or self.custody, eraser=self.eraser)
        answer = await handler.effect(tombstone, Attempt(1, 1))
        assert isinstance(answer, RecordErasure)
        return answer

    async def rebuilt(self) -> Report:
        """The read model compared with one that is made anew from the log."""
        async with self.custody.models.connected() as connection:
            await self.custody.models.reach_the_end(connection)
        return await rebuild(self.projection, log=self.log, dsn=self.dsn, fetch=_nothing, dry_run=True)

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        """The read model at work."""
        projector = Projector(self.projection, log=self.log, dsn=self.dsn, fetch=_nothing)
        task = asyncio.create_task(projector.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _nothing(_: str) -> None:
    return None


@asynccontextmanager
async def cabinet(nats: NatsServer, postgres: PostgresServer) -> AsyncIterator[Cabinet]:
    name = f"cabinet{next(_numbers)}"

    class PaperEvent(Event, frozen=True, kw_only=True):
        context = name
        aggregate = "paper"
        paper_id: UUID

    class Filed(PaperEvent, frozen=True, kw_only=True):
        blob: str
        refers_to: str | None = None

        @property
        def blobs(self) -> tuple[str, ...]:
            return (self.blob,)

    class PaperDeleted(PaperEvent, frozen=True, kw_only=True):
        pass

    async with AsyncExitStack() as stack:
        nc = await jetstream.connect(nats.url, name="tests")
        eraser = await jetstream.connect(nats.eraser_url, name="tests")
        stack.push_async_callback(nc.close)
        stack.push_async_callback(eraser.close)
        await streams.prepare(nc, [streams.context_stream(name, 1)])
        blobs = ObjectBlobs(nc, eraser, secret=b"only for tests", bucket=name)
        await blobs.prepare()
        dsn = await stack.enter_async_context(servers.fresh_database(postgres))
        made = Cabinet(name, Filed, PaperDeleted, nc, eraser, blobs, dsn)
        connection = await asyncpg.connect(dsn)
        await schema.migrate(connection, [made.projection])
        await connection.close()
        yield made


def intent() -> Intent:
    command_id = new_id()
    return Intent(command_id=command_id, actor="user:ada", at=datetime.now(UTC), correlation_id=command_id)
