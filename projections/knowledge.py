"""The read model of `knowledge`: collections and their indexes, documents and their ingestions, what is searched."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec

from events.envelope import Event, Recorded
from events.knowledge import (
    Chunking,
    CollectionEvent,
    DocumentCancelled,
    DocumentChunked,
    DocumentDeleted,
    DocumentEmbedded,
    DocumentEvent,
    DocumentFailed,
    DocumentIndexed,
    DocumentParsed,
    DocumentReingested,
    DocumentRetried,
    DocumentUploaded,
    Held,
    IndexFailed,
    IndexRemoved,
    IndexRequested,
    MetadataChanged,
    Stage,
    StageEvent,
)
from infra.chunking import ChunkSet
from infra.retrieval import Index
from projections.changes import Change, Table, delete, patch, upsert
from projections.knowledge_collections import COLLECTIONS, INDEXES, collection_rows
from projections.knowledge_tables import DOCUMENTS, INGESTIONS, MEMBERSHIPS, STAGES, chunk_table
from projections.projection import Projection

ORDER: tuple[Stage, ...] = get_args(Stage)

Tables = Mapping[tuple[str, int], Table]
"""Chunk tables by embedder and parity."""


def knowledge(indexes: Mapping[tuple[str, int], Index]) -> Projection:
    """The projection with the indexes whose vectors this installation can make: two for each embedder.

    A collection fills one of the two and builds its next index in the other; numbers of one parity share a table.
    """
    chunks = {of: chunk_table(index) for of, index in indexes.items()}

    def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        event = recorded.event
        if isinstance(event, CollectionEvent):
            yield from collection_rows(event, recorded)
        elif isinstance(event, DocumentEvent):
            yield from _document(event, recorded, content, chunks)

    tables = (COLLECTIONS, INDEXES, DOCUMENTS, INGESTIONS, STAGES, MEMBERSHIPS, *chunks.values())
    return Projection("knowledge", 1, "KNOWLEDGE", tables, rows, blob=_blob, content=_content)


def _blob(event: Event) -> str | None:
    return event.blob if isinstance(event, DocumentEmbedded | DocumentIndexed) else None


def _content(_: Event, data: bytes) -> ChunkSet:
    return ChunkSet.decode(data)


def _document(
    event: DocumentEvent, recorded: Recorded[Any], content: ChunkSet | None, chunks: Tables
) -> Iterator[Change]:
    match event:
        case DocumentUploaded() as e:
            yield from _uploaded(e, recorded)
        case DocumentParsed() | DocumentChunked() | DocumentEmbedded() as e:
            yield from _completed(e, recorded)
            if isinstance(e, DocumentEmbedded):
                yield from _indexed(e, recorded, content, chunks)
        case DocumentFailed() | DocumentCancelled() | DocumentRetried() | DocumentReingested() as e:
            yield from _turned(e, recorded)
        case DocumentDeleted() as e:
            yield delete(DOCUMENTS, id=e.document_id)
            for table in (INGESTIONS, STAGES, MEMBERSHIPS):
                yield delete(table, document_id=e.document_id)
            for table in chunks.values():
                yield delete(table, source_id=e.document_id)
        case _:
            yield from _membership(event, recorded, content, chunks)


def _membership(
    event: DocumentEvent, recorded: Recorded[Any], content: ChunkSet | None, chunks: Tables
) -> Iterator[Change]:
    match event:
        case MetadataChanged() as e:
            yield patch(DOCUMENTS, id=e.document_id, metadata=_json(e.metadata), **_touched(recorded))
            yield from _relabelled(e, chunks)
        case DocumentIndexed() as e:
            yield from _indexed(e, recorded, content, chunks)
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


def _touched(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"updated_at": recorded.at, "revision": recorded.position}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _cut(chunking: Chunking) -> dict[str, Any]:
    return {"strategy": chunking.strategy, "chunk_size": chunking.size, "overlap": chunking.overlap}


def _uploaded(e: DocumentUploaded, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        DOCUMENTS,
        id=e.document_id,
        collection_id=e.collection_id,
        file_name=e.file_name,
        media_type=e.media_type,
        blob=e.blob,
        size=e.size,
        metadata=_json(e.metadata),
        status="accepted",
        stage="queued",
        ingestion_id=e.ingestion_id,
        uploaded_at=recorded.at,
        uploaded_by=recorded.actor,
        position=recorded.position,
        **_cut(e.chunking),
        **_touched(recorded),
    )
    yield from _queued(e, e.collection_id, recorded)


def _queued(
    e: DocumentUploaded | DocumentReingested, collection_id: Any, recorded: Recorded[Any]
) -> Iterator[Change]:
    yield upsert(
        INGESTIONS,
        document_id=e.document_id,
        id=e.ingestion_id,
        status="accepted",
        stage="queued",
        queued_at=recorded.at,
        position=recorded.position,
        **_touched(recorded),
    )
    for n, stage in enumerate(ORDER):
        yield upsert(
            STAGES,
            document_id=e.document_id,
            ingestion_id=e.ingestion_id,
            n=n,
            stage=stage,
            state="pending",
            attempts=0,
        )


def _at(e: Any, recorded: Recorded[Any], **now: Any) -> Iterator[Change]:
    """Where an ingestion stands, in its own row and in its document's."""
    yield patch(DOCUMENTS, id=e.document_id, **now, **_touched(recorded))
    yield patch(INGESTIONS, document_id=e.document_id, id=e.ingestion_id, **now, **_touched(recorded))


def _stage(e: Any, stage: Stage, **values: Any) -> Change:
    values = {"error_code": None, "error_detail": None, **values}
    return patch(
        STAGES, document_id=e.document_id, ingestion_id=e.ingestion_id, n=ORDER.index(stage), **values
    )


def _completed(e: StageEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    match e:
        case DocumentParsed():
            done, status, stage = "parsing", "processing", "chunking"
            known = {
                name: getattr(e, name) for name in ("media_type", "pages", "characters", "title", "language")
            }
            yield patch(DOCUMENTS, id=e.document_id, text_blob=e.blob, **known)
        case DocumentChunked():
            done, status, stage = "chunking", "processing", "embedding"
        case _:
            done, status, stage = "embedding", "completed", "indexed"
    yield _stage(
        e,
        done,  # type: ignore[arg-type]
        state="completed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=recorded.at,
    )
    yield from _at(e, recorded, status=status, stage=stage)


def _turned(
    e: DocumentFailed | DocumentCancelled | DocumentRetried | DocumentReingested, recorded: Recorded[Any]
) -> Iterator[Change]:
    match e:
        case DocumentFailed():
            yield _stage(
                e,
                e.stage,
                state="failed",
                attempts=e.attempts,
                started_at=e.started_at,
                finished_at=recorded.at,
                error_code=e.code,
                error_detail=e.detail,
            )
            yield from _at(e, recorded, status="failed", stage=e.stage)
        case DocumentCancelled():
            yield _stage(e, e.stage, state="cancelled", finished_at=recorded.at)
            yield from _at(e, recorded, status="cancelled", stage=e.stage)
        case DocumentRetried():
            for stage in ORDER[ORDER.index(e.stage) :]:
                yield _stage(e, stage, state="pending", attempts=0, started_at=None, finished_at=None)
            yield from _at(e, recorded, status="processing", stage=e.stage)
        case DocumentReingested():
            yield from _queued(e, None, recorded)
            yield patch(
                DOCUMENTS,
                id=e.document_id,
                status="accepted",
                stage="queued",
                ingestion_id=e.ingestion_id,
                **_cut(e.chunking),
                **_touched(recorded),
            )


def _indexed(
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
    metadata = _json(e.metadata)
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
            recorded_at=recorded.at,
            embedding=vector,
        )


def _relabelled(e: MetadataChanged, chunks: Tables) -> Iterator[Change]:
    metadata = _json(e.metadata)
    for each in e.held:
        yield from _rows_of(e, each, metadata, chunks)


def _rows_of(e: MetadataChanged, held: Held, metadata: str, chunks: Tables) -> Iterator[Change]:
    if table := chunks.get((held.embedder, held.number % 2)):
        for n in range(held.chunks):
            yield patch(table, source_id=e.document_id, n=n, metadata=metadata)
