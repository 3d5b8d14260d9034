"""From a transcript to what can be searched: chunks with their vectors."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from events.envelope import Recorded
from events.jobsite import Correction, SessionMoved, StageFailed, Understood
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.commands import FailStage, RecordIndex
from handlers.jobsite.session.state import Session, State
from infra import chunking
from infra.blobs import OWN, Blob, BlobMissing, Blobs, once
from infra.chunking.chunkset import MEDIA_TYPE, Chunk, ChunkSet
from infra.embedding import Embedder
from infra.retrieval import index_name
from infra.speech import Segment, Transcript
from infra.speech.corrections import corrected
from infra.understanding import Understanding

AT_ONCE = 32
"""Chunks embedded between two reports of progress."""


Cause = Understood | StageFailed | SessionMoved


class _Work(NamedTuple):
    """What is to be found."""

    session_id: UUID
    transcript: str
    corrections: int
    understanding: str | None = None
    """None when it could not be understood: then the transcript itself is searched, with its `fixes`."""
    fixes: tuple[Correction, ...] = ()
    chunk_set: str | None = None
    """Chunks with their vectors that are there already: then only the job has changed."""


def indexers(
    *, reading: Reading, blobs: Blobs, embedder: Embedder, clock: Callable[[], datetime]
) -> tuple[Handler, ...]:
    """The handlers of `understood`, of a failure to understand, and of a session's move to another job."""
    name = index_name(embedder.name, chunking.NAME)

    async def index(recorded: Recorded[Cause], attempt: Attempt) -> RecordIndex | FailStage | None:
        started = clock()
        if (work := await _work(recorded.event)) is None:
            return None
        try:
            stored, chunks = await _known(work) or await _made(work, attempt)
        except BlobMissing:
            detail = "The transcript is gone from the blob store."
            return FailStage(
                session_id=work.session_id,
                stage="index",
                code="TRANSCRIPT_MISSING",
                detail=detail,
                attempts=attempt.number,
                started_at=started,
                transcript=work.transcript,
                corrections=work.corrections,
            )
        past = await reading.past("session", work.session_id)
        return RecordIndex(
            session_id=work.session_id,
            recorded_at=past[0].at if past else None,
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

    async def _work(event: Cause) -> _Work | None:
        """None where nothing is to be done again."""
        match event:
            case Understood() as e:
                return _Work(e.session_id, e.transcript, e.corrections, e.blob)
            case SessionMoved() as e if e.job_id == e.was:
                return None
            case SessionMoved() as e if e.transcript and e.understanding:
                known = e.chunk_sets.get(name)
                return _Work(e.session_id, e.transcript, e.corrections, e.understanding, chunk_set=known)
            case StageFailed() as e if e.stage != "understand":
                return None
        return _unstood(event.session_id, await reading.session(event.session_id), name)

    async def _known(work: _Work) -> tuple[Blob, ChunkSet] | None:
        if work.chunk_set is None:
            return None
        try:
            content = await blobs.get(work.chunk_set, OWN)
        except BlobMissing:
            return None
        return Blob(work.chunk_set, len(content), MEDIA_TYPE), ChunkSet.decode(content)

    async def _made(work: _Work, attempt: Attempt) -> tuple[Blob, ChunkSet]:
        chunks = await _chunk_set(chunking.chunks_of(await _segments(work)), embedder, attempt)
        return await blobs.put(once(chunks.encode()), media_type=MEDIA_TYPE), chunks

    async def _segments(work: _Work) -> Sequence[Segment]:
        if work.understanding is None:
            heard = msgspec.json.decode(await blobs.get(work.transcript, OWN), type=Transcript)
            return (await asyncio.to_thread(corrected, heard, work.fixes)).segments
        content = await blobs.get(work.understanding, OWN)
        return msgspec.json.decode(content, type=Understanding).transcript.segments

    def give_up(recorded: Recorded[Cause], failure: Failure) -> FailStage:
        event = recorded.event
        about = None if isinstance(event, StageFailed) else event
        return FailStage(
            session_id=event.session_id,
            stage="index",
            code="INDEXING_FAILED",
            detail=f"Indexing failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
            transcript=about.transcript if about else None,
            corrections=about.corrections if about else None,
        )

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
        for each, on in (("index", Understood), ("index_unstood", StageFailed), ("index_moved", SessionMoved))
    )


def _unstood(session_id: UUID, session: State, index: str) -> _Work | None:
    """A recording that could not be understood is searched as it was said, until it is."""
    if not isinstance(session, Session) or session.transcript is None:
        return None
    if "understand" not in session.failed or index in session.indexes:
        return None
    return _Work(
        session_id,
        session.transcript,
        len(session.corrections),
        fixes=session.corrections,
        chunk_set=session.chunk_sets.get(index),
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
