"""From a transcript to what can be searched: chunks with their vectors."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import numpy as np

from events.envelope import Recorded
from events.jobsite import Understood
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.session.commands import FailStage, RecordIndex
from infra import chunking
from infra.blobs import BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE, Chunk, ChunkSet
from infra.embedding import Embedder
from infra.retrieval import index_name
from infra.understanding import Understanding

AT_ONCE = 32
"""Chunks embedded between two reports of progress."""


def indexer(*, blobs: Blobs, embedder: Embedder, clock: Callable[[], datetime]) -> Handler:
    """The handler of `understood`."""

    async def index(recorded: Recorded[Understood], attempt: Attempt) -> RecordIndex | FailStage:
        event, started = recorded.event, clock()
        try:
            content = await blobs.get(event.blob)
        except BlobMissing:
            return FailStage(
                session_id=event.session_id,
                stage="index",
                code="TRANSCRIPT_MISSING",
                detail="The transcript is gone from the blob store.",
                attempts=attempt.number,
                started_at=started,
                transcript=event.transcript,
                corrections=event.corrections,
            )
        transcript = msgspec.json.decode(content, type=Understanding).transcript
        chunks = await _chunk_set(chunking.chunks_of(transcript.segments), embedder, attempt)
        stored = await blobs.put(once(chunks.encode()), media_type=MEDIA_TYPE)
        return RecordIndex(
            session_id=event.session_id,
            blob=stored.key,
            size=stored.size,
            transcript=event.transcript,
            corrections=event.corrections,
            index=index_name(embedder.name, chunking.NAME),
            dimensions=embedder.dimensions,
            chunks=len(chunks.chunks),
            attempts=attempt.number,
            started_at=started,
        )

    def give_up(recorded: Recorded[Understood], failure: Failure) -> FailStage:
        return FailStage(
            session_id=recorded.event.session_id,
            stage="index",
            code="INDEXING_FAILED",
            detail=f"Indexing failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
            transcript=recorded.event.transcript,
            corrections=recorded.event.corrections,
        )

    return Handler(
        name="index",
        on=Understood,
        effect=index,
        give_up=give_up,
        timeout=600.0,
        backoff=PATIENCE,
        concurrency=2,
    )


async def _chunk_set(chunks: tuple[Chunk, ...], embedder: Embedder, attempt: Attempt) -> ChunkSet:
    vectors = np.empty((len(chunks), embedder.dimensions), np.float32)
    for start in range(0, len(chunks), AT_ONCE):
        batch = chunks[start : start + AT_ONCE]
        vectors[start : start + len(batch)] = await embedder.embed([chunk.text for chunk in batch])
        attempt.report((start + len(batch)) / len(chunks))
    return ChunkSet.of(
        chunks, vectors, embedder=embedder.name, dimensions=embedder.dimensions, chunking=chunking.NAME
    )
