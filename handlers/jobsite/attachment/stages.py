"""From a file to its text, and from its text to what can be searched."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from events.envelope import Recorded
from events.jobsite import (
    AttachmentEvent,
    AttachmentExtracted,
    AttachmentRetried,
    AttachmentStage,
    AttachmentUploaded,
)
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.attachment.decide import FailAttachment, RecordAttachmentIndex, RecordExtraction
from infra import chunking
from infra.blobs import BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE, Chunk, ChunkSet
from infra.compute import Compute
from infra.documents import Parsed, UnusableDocument
from infra.documents.parsed import MEDIA_TYPE as TEXT_TYPE
from infra.log import Log
from infra.retrieval import index_name
from infra.scratch import scratch

Answer = RecordExtraction | RecordAttachmentIndex | FailAttachment

PARSER = "xberg"
AT_ONCE = 32
"""Chunks embedded between two reports of progress."""
LONGEST = 900.0
LARGEST_TEXT = 256 << 20
"""Bytes of a text with its pages."""
FAILURES = {"extract": "EXTRACTION_FAILED", "index": "INDEXING_FAILED"}


def stages(*, blobs: Blobs, compute: Compute, log: Log, clock: Callable[[], datetime]) -> tuple[Handler, ...]:
    """The handlers of `uploaded` and `extracted`, and of `retried`, which does either again."""
    work = Work(blobs, compute, log, clock)

    async def extract(recorded: Recorded[AttachmentUploaded], attempt: Attempt) -> Answer:
        e = recorded.event
        return await work.extract(e.attachment_id, e.blob, e.file_name, attempt)

    async def index(recorded: Recorded[AttachmentExtracted], attempt: Attempt) -> Answer:
        return await work.index(recorded.event.attachment_id, recorded.event.blob, attempt)

    async def retry(recorded: Recorded[AttachmentRetried], attempt: Attempt) -> Answer:
        e = recorded.event
        if e.stage == "index":
            return await work.index(e.attachment_id, e.source, attempt)
        return await work.extract(e.attachment_id, e.source, await work.name(recorded), attempt)

    def handler(name: str, on: type[AttachmentEvent], effect: Any, stage: AttachmentStage | None) -> Handler:
        def give_up(recorded: Recorded[Any], failure: Failure) -> FailAttachment:
            failed: AttachmentStage = stage or recorded.event.stage
            return FailAttachment(
                attachment_id=recorded.event.attachment_id,
                stage=failed,
                code=FAILURES[failed],
                detail=f"It failed {failure.attempts} times and is among the dead letters. {failure.error}",
                attempts=failure.attempts,
            )

        return Handler(
            name=name, on=on, effect=effect, give_up=give_up, timeout=LONGEST, backoff=PATIENCE, concurrency=2
        )

    return (
        handler("extract", AttachmentUploaded, extract, "extract"),
        handler("index_attachment", AttachmentExtracted, index, "index"),
        handler("retry_attachment", AttachmentRetried, retry, None),
    )


class Work:
    """The two stages, whatever asks for them."""

    def __init__(self, blobs: Blobs, compute: Compute, log: Log, clock: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._compute = compute
        self._log = log
        self._clock = clock

    async def name(self, recorded: Recorded[AttachmentEvent]) -> str:
        """What the file was called when it was uploaded."""
        past = await self._log.load(recorded.event.key)
        return next((each.event.file_name for each in past if isinstance(each.event, AttachmentUploaded)), "")

    async def extract(self, id: UUID, blob: str, name: str, attempt: Attempt) -> Answer:
        """The text of a file, as a blob; or what is wrong with the file."""
        started = self._clock()
        try:
            parsed = await self._read(blob, name)
        except (UnusableDocument, BlobMissing) as bad:
            gone = UnusableDocument("FILE_MISSING", "The file is gone from the blob store.")
            fault = bad if isinstance(bad, UnusableDocument) else gone
            return FailAttachment(
                attachment_id=id,
                stage="extract",
                code=fault.code,
                detail=fault.detail,
                attempts=attempt.number,
                started_at=started,
            )
        stored = await self._blobs.put(once(parsed.encode()), media_type=TEXT_TYPE)
        return RecordExtraction(
            attachment_id=id,
            blob=stored.key,
            size=stored.size,
            pages=len(parsed.pages),
            characters=len(parsed.text),
            media_type=parsed.media_type,
            parser=PARSER,
            language=parsed.language,
            title=parsed.title[:500] if parsed.title else None,
            attempts=attempt.number,
            started_at=started,
        )

    async def _read(self, blob: str, name: str) -> Parsed:
        with scratch() as folder:
            path = Path(folder) / "document"
            with path.open("wb") as file:
                async for piece in self._blobs.read(blob):
                    await asyncio.to_thread(file.write, piece)
            return await self._compute.parse(path, name=name)

    async def index(self, id: UUID, text: str, attempt: Attempt) -> Answer:
        """The chunks of a text with their vectors, as a blob."""
        started = self._clock()
        try:
            parsed = Parsed.decode(await self._blobs.get(text, LARGEST_TEXT))
        except BlobMissing:
            return FailAttachment(
                attachment_id=id,
                stage="index",
                code="TEXT_MISSING",
                detail="The text of the file is gone from the blob store.",
                attempts=attempt.number,
                started_at=started,
            )
        chunks = await self._chunk_set(await self._compute.chunk(parsed.text, parsed.pages), attempt)
        stored = await self._blobs.put(once(chunks.encode()), media_type=MEDIA_TYPE)
        return RecordAttachmentIndex(
            attachment_id=id,
            blob=stored.key,
            size=stored.size,
            text=text,
            index=index_name(chunks.embedder, chunks.chunking),
            dimensions=chunks.dimensions,
            chunks=len(chunks.chunks),
            attempts=attempt.number,
            started_at=started,
        )

    async def _chunk_set(self, chunks: tuple[Chunk, ...], attempt: Attempt) -> ChunkSet:
        """They go to the index of the recordings, whose chunks are of the same size."""
        compute = self._compute
        vectors = np.empty((len(chunks), compute.dimensions), np.float32)
        for start in range(0, len(chunks), AT_ONCE):
            batch = chunks[start : start + AT_ONCE]
            vectors[start : start + len(batch)] = await compute.embed([chunk.text for chunk in batch])
            attempt.report((start + len(batch)) / len(chunks))
        return ChunkSet.of(
            chunks, vectors, embedder=compute.name, dimensions=compute.dimensions, chunking=chunking.NAME
        )
