"""The stages of an ingestion: from a file to text, to chunks, to vectors, each going on from what the last has left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from events.knowledge import Stage
from handlers.commands import Command, Decider
from handlers.handler import Answer, Attempt
from handlers.knowledge.collection.decide import COLLECTIONS, Collection
from handlers.knowledge.document.commands import (
    DeleteDocument,
    FailStage,
    RecordChunks,
    RecordText,
    RecordVectors,
)
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.document.state import Document
from handlers.knowledge.making import Making, TooManyChunks
from handlers.knowledge.unwanted import unless_unwanted
from infra.blobs import OWN, Blob, BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE, Chunk
from infra.documents import UnusableDocument
from infra.documents.parsed import MEDIA_TYPE as PARSED
from infra.documents.parsed import Parsed
from infra.scratch import scratch

CHUNKS = "application/vnd.headwater.cut+msgpack"
LONGEST_TITLE = 500
"""Characters: a heading may be a whole text, and each list of documents and each hit repeats the title."""

_chunks = msgspec.msgpack.Decoder(tuple[Chunk, ...])
_encode = msgspec.msgpack.Encoder().encode

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One stage of one ingestion, in one attempt."""

    document_id: UUID
    ingestion_id: UUID
    attempt: Attempt
    started_at: datetime

    def told(self, blob: Blob) -> dict[str, Any]:
        return {
            "document_id": self.document_id,
            "ingestion_id": self.ingestion_id,
            "blob": blob.key,
            "size": blob.size,
            "attempts": self.attempt.number,
            "started_at": self.started_at,
        }

    def failed(self, stage: Stage, code: str, detail: str) -> FailStage:
        return FailStage(
            document_id=self.document_id,
            ingestion_id=self.ingestion_id,
            stage=stage,
            code=code,
            detail=detail,
            attempts=self.attempt.number,
            started_at=self.started_at,
        )


Look = Callable[[Decider[Any, T], UUID], Awaitable[T]]
"""The state of an aggregate, as the log has it now."""


class Ingesting:
    """Does a stage, if it is still wanted."""

    def __init__(
        self, *, blobs: Blobs, making: Making, look: Look[Any], clock: Callable[[], datetime]
    ) -> None:
        self._blobs = blobs
        self._making = making
        self._look = look
        self._clock = clock

    async def stage(self, stage: Stage, document_id: UUID, ingestion_id: UUID, attempt: Attempt) -> Answer:
        """What a stage finds out. A document whose collection is gone goes too.

        A document may be accepted in the moment in which its collection is deleted. Either its first event comes before
        the tombstone, then `empty_collection` finds it; or after it, then we, who look later still, find the tombstone.
        """
        document = await self._look(DOCUMENTS, document_id)
        if not isinstance(document, Document):
            return None
        collection = await self._look(COLLECTIONS, document.collection_id)
        if not isinstance(collection, Collection):
            return DeleteDocument(document_id=document_id)
        if not document.awaits(ingestion_id, stage):
            return None
        run = Run(document_id, ingestion_id, attempt, self._clock())

        async def wanted() -> bool:
            now = await self._look(DOCUMENTS, document_id)
            return isinstance(now, Document) and now.awaits(ingestion_id, stage)

        try:
            return await unless_unwanted(self._do(stage, run, document, collection), wanted)
        except (UnusableDocument, TooManyChunks) as fault:
            return run.failed(stage, fault.code, fault.detail)
        except BlobMissing:
            return run.failed(stage, "CONTENT_MISSING", "What this stage needs is gone from the blob store.")

    async def _do(self, stage: Stage, run: Run, document: Document, collection: Collection) -> Command:
        match stage:
            case "parsing":
                return await self._parse(run, document)
            case "chunking":
                return await self._chunk(run, document, collection)
            case "embedding":
                return await self._embed(run, document)

    async def _parse(self, run: Run, document: Document) -> Command:
        with scratch() as folder:
            path = Path(folder) / "original"
            with path.open("wb") as file:
                async for piece in self._blobs.read(document.blob):
                    file.write(piece)
            parsed = await self._making.parse(path, document.file_name, document.media_type)
        blob = await self._blobs.put(once(parsed.encode()), media_type=PARSED)
        return RecordText(
            **run.told(blob),
            media_type=parsed.media_type,
            pages=len(parsed.pages),
            characters=len(parsed.text),
            title=parsed.title[:LONGEST_TITLE] if parsed.title else None,
            language=parsed.language,
            pages_without_text=int(parsed.metadata.get("pagesWithoutText", 0)),
            unread=parsed.metadata.get("unread"),
        )

    async def _chunk(self, run: Run, document: Document, collection: Collection) -> Command:
        assert document.parsed is not None  # noqa: S101 - `awaits` says so
        parsed = Parsed.decode(await self._blobs.get(document.parsed, OWN))
        plan = collection.answering
        chunking = plan.chunking or document.chunking
        chunks = await self._making.chunks(parsed, chunking)
        blob = await self._blobs.put(once(_encode(chunks)), media_type=CHUNKS)
        return RecordChunks(
            **run.told(blob),
            parsed=document.parsed,
            number=collection.active,
            embedder=plan.embedder,
            chunking=chunking,
            chunks=len(chunks),
        )

    async def _embed(self, run: Run, document: Document) -> Command:
        made = document.chunked
        assert made is not None  # noqa: S101 - `awaits` says so
        chunks: Sequence[Chunk] = _chunks.decode(await self._blobs.get(made.blob, OWN))
        vectors = await self._making.vectors(made.embedder, made.chunking, chunks, run.attempt.report)
        blob = await self._blobs.put(once(vectors.encode()), media_type=MEDIA_TYPE)
        return RecordVectors(**run.told(blob), chunked=made.blob, dimensions=vectors.dimensions)
