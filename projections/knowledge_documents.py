"""The rows of documents and of their ingestions, stage by stage."""

from collections.abc import Iterator
from typing import Any, get_args

from events.envelope import Recorded
from events.knowledge import (
    DocumentCancelled,
    DocumentChunked,
    DocumentDeleted,
    DocumentEmbedded,
    DocumentEvent,
    DocumentFailed,
    DocumentParsed,
    DocumentReingested,
    DocumentRetried,
    DocumentUploaded,
    Stage,
    StageEvent,
)
from infra.chunking import ChunkSet
from projections.changes import Change, delete, patch, upsert
from projections.knowledge_memberships import Tables, indexed_rows, membership_rows
from projections.knowledge_tables import DOCUMENTS, INGESTIONS, MEMBERSHIPS, STAGES, as_json, cut, touched

ORDER: tuple[Stage, ...] = get_args(Stage)


def document_rows(
    event: DocumentEvent, recorded: Recorded[Any], content: ChunkSet | None, chunks: Tables
) -> Iterator[Change]:
    match event:
        case DocumentUploaded() as e:
            yield from _uploaded(e, recorded)
        case DocumentParsed() | DocumentChunked() | DocumentEmbedded() as e:
            yield from _completed(e, recorded)
            if isinstance(e, DocumentEmbedded):
                yield from indexed_rows(e, recorded, content, chunks)
        case DocumentFailed() | DocumentCancelled() | DocumentRetried() | DocumentReingested() as e:
            yield from _turned(e, recorded)
        case DocumentDeleted() as e:
            yield delete(DOCUMENTS, id=e.document_id)
            for table in (INGESTIONS, STAGES, MEMBERSHIPS):
                yield delete(table, document_id=e.document_id)
            for table in chunks.values():
                yield delete(table, source_id=e.document_id)
        case _:
            yield from membership_rows(event, recorded, content, chunks)


def _uploaded(e: DocumentUploaded, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        DOCUMENTS,
        id=e.document_id,
        collection_id=e.collection_id,
        file_name=e.file_name,
        media_type=e.media_type,
        blob=e.blob,
        size=e.size,
        metadata=as_json(e.metadata),
        status="accepted",
        stage="queued",
        ingestion_id=e.ingestion_id,
        uploaded_at=recorded.at,
        uploaded_by=recorded.actor,
        position=recorded.position,
        **cut(e.chunking),
        **touched(recorded),
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
        **touched(recorded),
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
    yield patch(DOCUMENTS, id=e.document_id, **now, **touched(recorded))
    yield patch(INGESTIONS, document_id=e.document_id, id=e.ingestion_id, **now, **touched(recorded))


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
                name: getattr(e, name)
                for name in (
                    "media_type",
                    "pages",
                    "pages_without_text",
                    "characters",
                    "title",
                    "language",
                )
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
        note=e.unread if isinstance(e, DocumentParsed) else None,
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
            given = {"file_name": e.file_name, "media_type": e.media_type}
            yield from _queued(e, None, recorded)
            yield patch(
                DOCUMENTS,
                id=e.document_id,
                status="accepted",
                stage="queued",
                ingestion_id=e.ingestion_id,
                **{name: value for name, value in given.items() if value is not None},
                **cut(e.chunking),
                **touched(recorded),
            )
