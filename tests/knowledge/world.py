"""The context in memory: its real rules, handlers and projection, on a log delivered in whatever order a test wants."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, reduce
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from events.envelope import Event, Intent, Recorded, to_headers
from events.ids import derived_id
from handlers.commands import Command, Decider
from handlers.handler import Attempt, Handler, commands_of
from handlers.knowledge import handlers
from handlers.knowledge.collection.decide import COLLECTIONS
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.making import Making
from handlers.refusals import Refusal
from infra.blobs import Blob, BlobMissing
from infra.chunking import ChunkSet
from infra.chunking.chunkset import Chunk
from infra.documents import Parsed, UnusableDocument
from infra.retrieval.spaces import slots_of
from projections.changes import Change
from projections.knowledge import knowledge

T = TypeVar("T")
NOW = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
SPACES = {"one": 2, "two": 2}
MODEL = knowledge(slots_of(SPACES))
DECIDERS = {command: decider for decider in (COLLECTIONS, DOCUMENTS) for command in decider.commands}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def done(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing but tasks of its own."""
    return _loop().run_until_complete(work)


class MemoryBlobs:
    """What handlers need of a blob store."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    async def put(self, chunks: AsyncIterator[bytes], *, media_type: str) -> Blob:
        content = b"".join([chunk async for chunk in chunks])
        key = hashlib.sha256(content).hexdigest()
        self.stored[key] = content
        return Blob(key, len(content), media_type)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        yield await self.get(key)

    async def get(self, key: str, _limit: int = 0) -> bytes:
        if key not in self.stored:
            raise BlobMissing(key)
        return self.stored[key]


class Words:
    """Reads files as text, cuts them into words, and gives every word the same vector."""

    def __init__(self, name: str) -> None:
        self.name, self.dimensions = name, 2

    async def parse(self, content: Path, *, name: str = "", declared: str = "") -> Parsed:
        text = content.read_text()  # noqa: ASYNC240 - some bytes, and nobody else runs
        if text.startswith("bad"):
            raise UnusableDocument("DOCUMENT_DAMAGED", "Bad.")
        return Parsed(text=text, media_type="text/plain", title=text or None)

    async def chunk(
        self, text: str, pages: object, *, strategy: str, size: int, overlap: int, most: int
    ) -> tuple[Chunk, ...]:
        return tuple(Chunk(n, f"{word}/{size}", n, n + 1) for n, word in enumerate(text.split()[: most + 1]))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 2), np.float32)


class Delivery:
    """An event on its way to a handler; `answer` is what the handler will tell, once its effect has run."""

    def __init__(self, handler: Handler, recorded: Recorded[Any]) -> None:
        self.handler = handler
        self.recorded = recorded
        self.answer: list[Command] | None = None


class World:
    """`log` is what was written; `waiting` are deliveries that are not acknowledged."""

    def __init__(self) -> None:
        self.log: list[Recorded[Any]] = []
        self.waiting: list[Delivery] = []
        self.blobs = MemoryBlobs()
        self._ids = count(1)
        words: Any = Words("one")
        self._handlers = handlers(
            blobs=self.blobs,  # type: ignore[arg-type]
            making=Making(words, {"one": words, "two": Words("two")}),  # type: ignore[dict-item]
            look=self.look,
            members=self.members,
            clock=lambda: NOW,
        )

    def new_id(self) -> UUID:
        return UUID(int=next(self._ids))

    def state(self, decider: Decider[Any, T], id: UUID) -> T:
        past = (each.event for each in self.log if each.event.key[1:] == (decider.aggregate, id))
        return reduce(decider.evolve, past, decider.initial)

    async def look(self, decider: Decider[Any, T], id: UUID) -> T:
        return self.state(decider, id)

    async def members(self, collection_id: UUID, position: int) -> Sequence[UUID]:
        """As the read model tells it, which is at that position by then."""
        assert position <= len(self.log)
        rows = tables(self.log, self.blobs)["documents"]
        return [key[0] for key, row in rows.items() if row["collection_id"] == collection_id]

    def execute(self, command: Command, command_id: UUID | None = None) -> None:
        """Decide and append, as `Commands` does; a refusal changes nothing."""
        decider: Decider[Any, Any] = DECIDERS[type(command)]
        id = getattr(command, f"{decider.aggregate}_id")
        command_id = command_id or self.new_id()
        if any(each.command_id == command_id and each.event.key.id == id for each in self.log):
            return
        try:
            events = decider.decide(command, self.state(decider, id))
        except Refusal:
            return
        for event in events:
            self._append(event, command_id)

    def _append(self, event: Event, command_id: UUID) -> None:
        position = len(self.log) + 1
        intent = Intent(command_id=command_id, actor="tests", at=NOW, correlation_id=command_id)
        recorded = Recorded(
            event, to_headers(event, UUID(int=1 << 64 | position), intent), "KNOWLEDGE", position
        )
        self.log.append(recorded)
        self.waiting += [Delivery(each, recorded) for each in self._handlers if each.on is type(event)]

    def run(self, delivery: Delivery) -> None:
        """The effect alone: what it saw may be old by the time its answer is written."""
        delivery.answer = list(
            commands_of(done(delivery.handler.effect(delivery.recorded, Attempt(1, 3))))  # type: ignore[arg-type]
        )

    def tell(self, delivery: Delivery, most: int | None = None) -> None:
        """Write its answer, or no more than so many commands of it: then the worker has crashed, and it comes again."""
        answer = delivery.answer or []
        for n, command in enumerate(answer[:most], start=1):
            last = "last" if n == len(answer) else str(n)
            self.execute(command, derived_id(delivery.recorded.id, delivery.handler.name, last))
        if most is None:
            self.waiting.remove(delivery)
        delivery.answer = None

    def settle(self) -> None:
        """Let everything come to its end."""
        for _ in range(2000):
            if not self.waiting:
                return
            delivery = self.waiting[0]
            if delivery.answer is None:
                self.run(delivery)
            self.tell(delivery)
        raise AssertionError("it never ends")

    def erased(self) -> list[Recorded[Any]]:
        """The log once the eraser has done its work."""
        gone = {each.event.key for each in self.log if each.event.name == "deleted"}
        return [each for each in self.log if each.event.key not in gone or each.event.name == "deleted"]


Rows = dict[tuple[Any, ...], dict[str, Any]]


def tables(log: Iterable[Recorded[Any]], blobs: MemoryBlobs) -> dict[str, Rows]:
    """The read model that a log makes, change by change."""
    made: dict[str, Rows] = {table.name: {} for table in MODEL.tables}
    for recorded in log:
        key = MODEL.blob(recorded.event)
        content = ChunkSet.decode(blobs.stored[key]) if key else None
        for change in MODEL.changes(recorded, content):
            _apply(made[change.table.name], change)
    return made


def _apply(rows: Rows, change: Change) -> None:
    if change.kind == "delete":
        for key in [each for each in rows if each[: len(change.key)] == change.key]:
            del rows[key]
    elif change.kind == "upsert":
        rows[change.key] = {**rows.get(change.key, {}), **change.values}
    elif change.key in rows:
        rows[change.key] |= change.values
