"""The read model of `jobsite`: sessions, jobs, what is to be done, and what is searched."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from events.envelope import Event, Recorded
from events.jobsite import AttachmentIndexed, Indexed, SessionDeleted, Transcribed, TranscriptCorrected
from infra.chunking import ChunkSet
from infra.retrieval import KEY, Index
from projections.changes import Change, Table, delete, upsert
from projections.jobsite_attachments import OF_ATTACHMENTS, attachment_chunk_rows, attachment_rows
from projections.jobsite_jobs import action_item_rows, builder_rows, history_rows, job_rows
from projections.jobsite_sessions import session_blob, session_content, session_rows
from projections.jobsite_tables import (
    ACTION_ITEMS,
    BUILDERS,
    HISTORY,
    JOBS,
    OF_SESSIONS,
    SUBSCRIBERS,
    WITHDRAWN_ITEMS,
)
from projections.projection import Projection

CHUNK_SETS = (Indexed, AttachmentIndexed)
"""Events with a blob of chunks."""


def chunk_table(index: Index) -> Table:
    """The table of one pair of embedder and chunking: only vectors of one space can be compared."""
    return Table(index.table, index.columns, key=KEY, indexes=index.indexes)


def jobsite(index: Index) -> Projection:
    """The projection with the index that answers searches; events of other indexes leave no rows."""
    chunks = chunk_table(index)

    def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        yield from history_rows(recorded)
        match recorded.event.aggregate:
            case "session":
                yield from session_rows(recorded, content)
                yield from chunk_rows(recorded, content)
            case "attachment":
                yield from attachment_rows(recorded)
                yield from attachment_chunk_rows(chunks, index.name, recorded, content)
            case "builder":
                yield from builder_rows(recorded)
            case "job":
                yield from job_rows(recorded)
            case "action_item":
                yield from action_item_rows(recorded)

    def chunk_rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        match recorded.event:
            case Transcribed() | TranscriptCorrected() | SessionDeleted() as e:
                yield delete(chunks, source_id=e.session_id)
            case Indexed() as e if e.index == index.name:
                yield delete(chunks, source_id=e.session_id)
                yield from _chunks(chunks, e, content, recorded.at)

    of_jobs = (BUILDERS, JOBS, SUBSCRIBERS, ACTION_ITEMS, WITHDRAWN_ITEMS)
    tables = (*OF_SESSIONS, *OF_ATTACHMENTS, *of_jobs, HISTORY, chunks)
    return Projection("jobsite", 4, "JOBSITE", tables, rows, blob=_blob, content=_content)


def _blob(event: Event) -> str | None:
    return event.blob if isinstance(event, CHUNK_SETS) else session_blob(event)


def _content(event: Event, data: bytes) -> Any:
    return ChunkSet.decode(data) if isinstance(event, CHUNK_SETS) else session_content(event, data)


def _chunks(table: Table, e: Indexed, content: ChunkSet | None, at: datetime) -> Iterator[Change]:
    if content is None:
        return
    for chunk, vector in zip(content.chunks, content.half_vectors(), strict=True):
        yield upsert(
            table,
            source_id=e.session_id,
            n=chunk.n,
            kind="session",
            job_id=e.job_id,
            session_id=e.session_id,
            text=chunk.text,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            start_s=chunk.start,
            end_s=chunk.end,
            page=chunk.page,
            recorded_at=e.recorded_at or at,
            embedding=vector,
        )
