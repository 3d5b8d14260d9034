"""The rows of documents in the indexes of their collection, and of their chunks."""

from collections.abc import Iterator, Mapping
from typing import Any

from events.envelope import Recorded
from events.knowledge import (
    DocumentEmbedded,
    DocumentEvent,
    DocumentIndexed,
    Held,
    IndexFailed,
    IndexRemoved,
    IndexRequested,
    MetadataChanged,
)
from infra.chunking import ChunkSet
from projections.changes import Change, Table, delete, patch, upsert
from projections.knowledge_tables import DOCUMENTS, MEMBERSHIPS, as_json, touched

Tables = Mapping[tuple[str, int], Table]
"""Chunk tables by embedder and parity."""


def membership_rows(
    event: DocumentEvent, recorded: Recorded[Any], content: ChunkSet | None, chunks: Tables
) -> Iterator[Change]:
    match event:
        case MetadataChanged() as e:
            yield patch(DOCUMENTS, id=e.document_id, metadata=as_json(e.metadata), **touched(recorded))
            yield from _relabelled(e, chunks)
        case DocumentIndexed() as e:
            yield from indexed_rows(e, recorded, content, chunks)
        case IndexRequested() as e:
            yield upsert(
                MEMBERSHIPS,
                document_id=e.document_id,
                slot=e.number % 2,
                collection_id=e.collection_id,
                number=e.number,
                state="building",
                chunks=None,
                error_code=None,
                error_detail=None,
            )
        case IndexFailed() as e:
            yield patch(
                MEMBERSHIPS,
                document_id=e.document_id,
                slot=e.number % 2,
                state="failed",
                error_code=e.code,
                error_detail=e.detail,
            )
        case IndexRemoved() as e:
            yield delete(MEMBERSHIPS, document_id=e.document_id, slot=e.number % 2)
            if table := chunks.get((e.embedder, e.number % 2)):
                yield delete(table, source_id=e.document_id)


def indexed_rows(
    e: DocumentEmbedded | DocumentIndexed,
    recorded: Recorded[Any],
    content: ChunkSet | None,
    chunks: Tables,
) -> Iterator[Change]:
    yield upsert(
        MEMBERSHIPS,
        document_id=e.document_id,
        slot=e.number % 2,
        collection_id=e.collection_id,
        number=e.number,
        state="indexed",
        chunks=e.chunks,
        error_code=None,
        error_detail=None,
    )
    for (_, parity), other in chunks.items():
        if parity == e.number % 2:  # what an earlier index of this parity has left, of whichever embedder
            yield delete(other, source_id=e.document_id)
    table = chunks.get((e.embedder, e.number % 2))
    if table is None or content is None:
        return
    metadata = as_json(e.metadata)
    for chunk, vector in zip(content.chunks, content.half_vectors(), strict=True):
        yield upsert(
            table,
            source_id=e.document_id,
            n=chunk.n,
            kind="document",
            job_id=None,
            session_id=None,
            collection_id=e.collection_id,
            metadata=metadata,
            text=chunk.text,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            start_s=None,
            end_s=None,
            page=chunk.page,
            recorded_at=e.uploaded_at or recorded.at,
            embedding=vector,
        )


def _relabelled(e: MetadataChanged, chunks: Tables) -> Iterator[Change]:
    metadata = as_json(e.metadata)
    for each in e.held:
        yield from _rows_of(e, each, metadata, chunks)


def _rows_of(e: MetadataChanged, held: Held, metadata: str, chunks: Tables) -> Iterator[Change]:
    if table := chunks.get((held.embedder, held.number % 2)):
        for n in range(held.chunks):
            yield patch(table, source_id=e.document_id, n=n, metadata=metadata)
