"""What keeps documents in the indexes of their collection, no more and no less, and empties a deleted collection."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from events.envelope import Recorded
from events.knowledge import (
    CollectionDeleted,
    DocumentEmbedded,
    IndexBegun,
    IndexDropped,
    IndexRequested,
)
from handlers.commands import Command
from handlers.handler import PATIENCE, Answer, Attempt, Failure, Handler
from handlers.knowledge.collection.decide import COLLECTIONS, Collection
from handlers.knowledge.document.commands import (
    DeleteDocument,
    FailIndex,
    RecordIndexed,
    RemoveIndex,
    RequestIndex,
)
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.document.state import Document
from handlers.knowledge.ingesting import Look
from handlers.knowledge.making import Making, TooManyChunks
from handlers.knowledge.unwanted import unless_unwanted
from handlers.refusals import Unavailable
from infra.blobs import OWN, BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE
from infra.documents.parsed import Parsed
from infra.read_models import NotReadable, ReadModels

Members = Callable[[UUID, int], Awaitable[Sequence[UUID]]]
"""The documents that a collection had at a position of the log, but those deleted since."""


def members_by(models: ReadModels) -> Members:
    """By the read model, once it is at that position: rows of documents go with their own tombstones only."""

    async def members(collection_id: UUID, position: int) -> Sequence[UUID]:
        try:
            return await models.where(
                "knowledge.documents", "collection_id", collection_id, after=("KNOWLEDGE", position)
            )
        except NotReadable as behind:
            raise Unavailable("NOT_READABLE", f"The documents are not known yet: {behind}") from behind

    return members


def indexing(*, blobs: Blobs, making: Making, look: Look[Any], members: Members) -> tuple[Handler, ...]:
    """Why every document ends in exactly the live indexes of its collection: one that was complete before an index
    began is among the members that `begin_index` asks; one that completes later looks at the collection then."""

    async def empty(recorded: Recorded[CollectionDeleted], _: Attempt) -> Answer:
        found = await members(recorded.event.collection_id, recorded.position)
        return [DeleteDocument(document_id=each) for each in found]

    async def begin(recorded: Recorded[IndexBegun], _: Attempt) -> Answer:
        event = recorded.event
        if not await _is_live(event.collection_id, event.number):
            return None
        found = await members(event.collection_id, recorded.position)
        return [
            RequestIndex(
                document_id=each, number=event.number, embedder=event.embedder, chunking=event.chunking
            )
            for each in found
        ]

    async def drop(recorded: Recorded[IndexDropped], _: Attempt) -> Answer:
        found = await members(recorded.event.collection_id, recorded.position)
        return [RemoveIndex(document_id=each, number=recorded.event.number) for each in found]

    async def settle(recorded: Recorded[DocumentEmbedded], _: Attempt) -> Answer:
        event = recorded.event
        document = await look(DOCUMENTS, event.document_id)
        collection = await look(COLLECTIONS, event.collection_id)
        if not isinstance(document, Document):
            return None
        if not isinstance(collection, Collection):
            return DeleteDocument(document_id=event.document_id)
        dead: list[Command] = [
            RemoveIndex(document_id=event.document_id, number=slot.number)
            for slot in document.slots.values()
            if slot.number not in collection.live
        ]
        return dead + [
            RequestIndex(
                document_id=event.document_id, number=number, embedder=plan.embedder, chunking=plan.chunking
            )
            for number, plan in collection.live.items()
        ]

    async def build(recorded: Recorded[IndexRequested], attempt: Attempt) -> Answer:
        event = recorded.event
        if not await _awaited(event):
            return None
        if not await _is_live(event.collection_id, event.number):
            return RemoveIndex(document_id=event.document_id, number=event.number)
        return await unless_unwanted(_built(event, attempt), partial(_awaited, event))

    async def _awaited(event: IndexRequested) -> bool:
        document = await look(DOCUMENTS, event.document_id)
        slot = document.slot(event.number) if isinstance(document, Document) else None
        return slot is not None and slot.awaits(event.number, event.chunking, event.parsed)

    async def _built(event: IndexRequested, attempt: Attempt) -> Command:
        try:
            parsed = Parsed.decode(await blobs.get(event.parsed, OWN))
            chunks = await making.chunks(parsed, event.chunking)
        except TooManyChunks as fault:
            return _failed(event, fault.code, fault.detail)
        except BlobMissing:
            return _failed(event, "CONTENT_MISSING", "The text is gone from the blob store.")
        vectors = await making.vectors(event.embedder, event.chunking, chunks, attempt.report)
        blob = await blobs.put(once(vectors.encode()), media_type=MEDIA_TYPE)
        return RecordIndexed(
            document_id=event.document_id,
            blob=blob.key,
            size=blob.size,
            parsed=event.parsed,
            number=event.number,
            chunking=event.chunking,
            dimensions=vectors.dimensions,
            chunks=len(chunks),
        )

    async def _is_live(collection_id: UUID, number: int) -> bool:
        collection = await look(COLLECTIONS, collection_id)
        return isinstance(collection, Collection) and number in collection.live

    def _failed(event: IndexRequested, code: str, detail: str) -> FailIndex:
        return FailIndex(document_id=event.document_id, number=event.number, code=code, detail=detail)

    def give_up(recorded: Recorded[IndexRequested], failure: Failure) -> FailIndex:
        return _failed(
            recorded.event,
            "INDEXING_FAILED",
            f"Indexing failed {failure.attempts} times and is among the dead letters. {failure.error}",
        )

    return (
        Handler(name="empty_collection", on=CollectionDeleted, effect=empty, timeout=300.0),
        Handler(name="begin_index", on=IndexBegun, effect=begin, timeout=300.0),
        Handler(name="drop_index", on=IndexDropped, effect=drop, timeout=300.0),
        Handler(name="settle_document", on=DocumentEmbedded, effect=settle),
        Handler(
            name="build_index",
            on=IndexRequested,
            effect=build,
            give_up=give_up,
            timeout=3600.0,
            backoff=PATIENCE,
            concurrency=2,
        ),
    )
