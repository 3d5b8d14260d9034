"""From a transcript to what can be searched: chunks with their vectors."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from msgspec import structs

from events.envelope import Recorded
from events.jobsite import SessionMoved, Understood
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.session.commands import FailStage, RecordIndex
from infra import chunking
from infra.blobs import Blob, BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE, Chunk, ChunkSet
from infra.embedding import Embedder
from infra.retrieval import index_name
from infra.understanding import Understanding

AT_ONCE = 32
"""Chunks embedded between two reports of progress."""


class _Work(NamedTuple):
    """What is to be found."""

    session_id: UUID
    transcript: str
    corrections: int
    understanding: str
    chunk_set: str | None = None
    """Chunks with their vectors that are there already: then only the job has changed."""


def indexers(*, blobs: Blobs, embedder: Embedder, clock: Callable[[], datetime]) -> tuple[Handler, ...]:
    """The handlers of `understood`, and of a session's move to another job."""
    name = index_name(embedder.name, chunking.NAME)

    async def index(
        recorded: Recorded[Understood | SessionMoved], attempt: Attempt
    ) -> RecordIndex | FailStage | None:
        started = clock()
        if (work := _work(recorded.event, name)) is None:
            return None
        try:
            stored, chunks = await _known(work) or await _made(work, attempt)
        except BlobMissing:
            detail = "The transcript is gone from the blob store."
            failed = _failed(recorded.event, "TRANSCRIPT_MISSING", detail, attempt.number)
            return structs.replace(failed, started_at=started)
        return RecordIndex(
            session_id=work.session_id,
            blob=stored.key,
            size=stored.size,
            transcript=work.transcript,
            corrections=work.corrections,
            index=name,
            dimensions=embedder.dimensions,
            chunks=len(chunks.chunks),
            attempts=attempt.number,
            started_at=started,
        )

    async def _known(work: _Work) -> tuple[Blob, ChunkSet] | None:
        if work.chunk_set is None:
            return None
        try:
            content = await blobs.get(work.chunk_set)
        except BlobMissing:
            return None
        return Blob(work.chunk_set, len(content), MEDIA_TYPE), ChunkSet.decode(content)

    async def _made(work: _Work, attempt: Attempt) -> tuple[Blob, ChunkSet]:
        content = await blobs.get(work.understanding)
        transcript = msgspec.json.decode(content, type=Understanding).transcript
        chunks = await _chunk_set(chunking.chunks_of(transcript.segments), embedder, attempt)
        return await blobs.put(once(chunks.encode()), media_type=MEDIA_TYPE), chunks

    def give_up(recorded: Recorded[Understood | SessionMoved], failure: Failure) -> FailStage:
        detail = f"Indexing failed {failure.attempts} times and is among the dead letters. {failure.error}"
        return _failed(recorded.event, "INDEXING_FAILED", detail, failure.attempts)

    return tuple(
        Handler(
            name=each,
            on=on,
            effect=index,
            give_up=give_up,
            timeout=600.0,
            backoff=PATIENCE,
            concurrency=2,
        )
        for each, on in (("index", Understood), ("index_moved", SessionMoved))
    )


def _work(event: Understood | SessionMoved, index: str) -> _Work | None:
    """None for a move that leaves nothing to be done again."""
    if isinstance(event, Understood):
        return _Work(event.session_id, event.transcript, event.corrections, event.blob)
    if event.job_id == event.was or event.transcript is None or event.understanding is None:
        return None
    known = event.chunk_sets.get(index)
    return _Work(event.session_id, event.transcript, event.corrections, event.understanding, known)


def _failed(event: Understood | SessionMoved, code: str, detail: str, attempts: int) -> FailStage:
    return FailStage(
        session_id=event.session_id,
        stage="index",
        code=code,
        detail=detail,
        attempts=attempts,
        transcript=event.transcript,
        corrections=event.corrections,
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
