"""The read model of `jobsite`: sessions, their stages, what was said in them, and what is searched."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args

import msgspec

from events.envelope import Event, Recorded
from events.jobsite import AudioUploaded, Indexed, Stage, StageFailed, Transcribed
from infra.chunking import ChunkSet, full_text, segment_spans
from infra.retrieval import Index
from infra.speech import Segment, Transcript
from projections.changes import Change, Table, delete, patch, upsert
from projections.projection import Projection

SESSIONS = Table(
    "sessions",
    {
        "id": "uuid",
        "upload_id": "uuid not null",
        "job_id": "uuid",
        "title": "text",
        "status": "text not null",
        "file_name": "text not null",
        "media_type": "text not null",
        "blob": "text not null",
        "size": "bigint not null",
        "notify_email": "text",
        "seconds": "float8",
        "language": "text",
        "model": "text",
        "words": "int",
        "transcript": "text",
        "recorded_at": "timestamptz",
        "uploaded_at": "timestamptz not null",
        "uploaded_by": "text not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (job_id, position)",
        "create index on {table} (status, position)",
    ),
)

STAGES = Table(
    "stages",
    {
        "session_id": "uuid",
        "n": "int",
        "stage": "text not null",
        "state": "text not null",
        "attempts": "int not null",
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "error_code": "text",
        "error_detail": "text",
    },
    key=("session_id", "n"),
)

SEGMENTS = Table(
    "segments",
    {
        "session_id": "uuid",
        "n": "int",
        "text": "text not null",
        "start_s": "float8 not null",
        "end_s": "float8 not null",
        "start_char": "int not null",
        "end_char": "int not null",
        "confidence": "float8",
        "speaker": "text",
        "words": "jsonb not null",
    },
    key=("session_id", "n"),
)

ORDER: tuple[Stage, ...] = get_args(Stage)


def chunk_table(index: Index) -> Table:
    """The table of one pair of embedder and chunking: only vectors of one space can be compared."""
    return Table(index.table, index.columns, key=("session_id", "n"), indexes=index.indexes)


def jobsite(index: Index) -> Projection:
    """The projection with the index that answers searches; events of other indexes leave no rows."""
    chunks = chunk_table(index)

    def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        match recorded.event:
            case AudioUploaded() as e:
                yield from _uploaded(e, recorded)
            case Transcribed() as e:
                yield from _transcribed(e, recorded, content)
                yield delete(chunks, session_id=e.session_id)
            case Indexed() as e:
                yield from _completed(e, "index", recorded.at)
                yield patch(SESSIONS, id=e.session_id, status="completed", **_touched(recorded))
                if e.index == index.name:
                    yield delete(chunks, session_id=e.session_id)
                    yield from _chunks(chunks, e, content, recorded.at)
            case StageFailed() as e:
                yield patch(SESSIONS, id=e.session_id, status="failed", **_touched(recorded))
                yield patch(
                    STAGES,
                    session_id=e.session_id,
                    n=ORDER.index(e.stage),
                    state="failed",
                    attempts=e.attempts,
                    started_at=e.started_at,
                    finished_at=recorded.at,
                    error_code=e.code,
                    error_detail=e.detail,
                )

    return Projection(
        "jobsite", 1, "JOBSITE", (SESSIONS, STAGES, SEGMENTS, chunks), rows, blob=_blob, content=_content
    )


def _blob(event: Event) -> str | None:
    return event.blob if isinstance(event, Transcribed | Indexed) else None


def _content(event: Event, data: bytes) -> Transcript | ChunkSet:
    return (
        msgspec.json.decode(data, type=Transcript)
        if isinstance(event, Transcribed)
        else ChunkSet.decode(data)
    )


def _touched(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"updated_at": recorded.at, "revision": recorded.position}


def _uploaded(e: AudioUploaded, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        SESSIONS,
        id=e.session_id,
        upload_id=e.upload_id,
        job_id=e.job_id,
        title=e.title,
        status="accepted",
        file_name=e.file_name,
        media_type=e.media_type,
        blob=e.blob,
        size=e.size,
        notify_email=e.notify_email,
        recorded_at=e.recorded_at,
        uploaded_at=recorded.at,
        uploaded_by=recorded.actor,
        position=recorded.position,
        **_touched(recorded),
    )
    for n, stage in enumerate(ORDER):
        yield upsert(STAGES, session_id=e.session_id, n=n, stage=stage, state="pending", attempts=0)


def _transcribed(e: Transcribed, recorded: Recorded[Any], transcript: Transcript | None) -> Iterator[Change]:
    segments = transcript.segments if transcript else ()
    yield from _completed(e, "transcribe", recorded.at)
    yield patch(
        SESSIONS,
        id=e.session_id,
        status="processing",
        seconds=e.seconds,
        language=e.language,
        model=e.model,
        words=e.words,
        transcript=full_text(segments) if transcript else None,
        **_touched(recorded),
    )
    yield delete(SEGMENTS, session_id=e.session_id)
    for n, (segment, (first, last)) in enumerate(zip(segments, segment_spans(segments), strict=True)):
        yield _segment(e, n, segment, first, last)


def _segment(e: Transcribed, n: int, segment: Segment, first: int, last: int) -> Change:
    return upsert(
        SEGMENTS,
        session_id=e.session_id,
        n=n,
        text=segment.text,
        start_s=segment.start,
        end_s=segment.end,
        start_char=first,
        end_char=last,
        confidence=segment.confidence,
        speaker=segment.speaker,
        words=msgspec.json.encode(segment.words).decode(),
    )


def _completed(e: Transcribed | Indexed, stage: Stage, at: datetime) -> Iterator[Change]:
    yield patch(
        STAGES,
        session_id=e.session_id,
        n=ORDER.index(stage),
        state="completed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=at,
        error_code=None,
        error_detail=None,
    )


def _chunks(table: Table, e: Indexed, content: ChunkSet | None, at: datetime) -> Iterator[Change]:
    if content is None:
        return
    for chunk, vector in zip(content.chunks, content.half_vectors(), strict=True):
        yield upsert(
            table,
            session_id=e.session_id,
            n=chunk.n,
            job_id=e.job_id,
            text=chunk.text,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            start_s=chunk.start,
            end_s=chunk.end,
            recorded_at=e.recorded_at or at,
            embedding=vector,
        )
