"""Attachments as they are read: whose they are, how far their stages are, and their chunks."""

from collections.abc import Iterator
from typing import Any, get_args

from events.envelope import Recorded
from events.jobsite import (
    AttachmentDeleted,
    AttachmentExtracted,
    AttachmentFailed,
    AttachmentIndexed,
    AttachmentMoved,
    AttachmentRetried,
    AttachmentStage,
    AttachmentUploaded,
)
from infra.chunking import ChunkSet
from projections.changes import Change, Table, delete, patch, upsert

ATTACHMENTS = Table(
    "attachments",
    {
        "id": "uuid",
        "upload_id": "uuid not null",
        "session_id": "uuid",
        "job_id": "uuid",
        "title": "text",
        "file_name": "text not null",
        "media_type": "text not null",
        "size": "bigint not null",
        "blob": "text not null",
        "status": "text not null",
        "document_title": "text",
        "language": "text",
        "pages": "int",
        "characters": "int",
        "text_blob": "text",
        "chunks": "int",
        "error_code": "text",
        "error_detail": "text",
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
        "create index on {table} (session_id, position)",
        "create index on {table} (status, position)",
    ),
)

ATTACHMENT_STAGES = Table(
    "attachment_stages",
    {
        "attachment_id": "uuid",
        "n": "int",
        "stage": "text not null",
        "state": "text not null",
        "attempts": "int not null",
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "error_code": "text",
        "error_detail": "text",
    },
    key=("attachment_id", "n"),
)

OF_ATTACHMENTS = (ATTACHMENTS, ATTACHMENT_STAGES)
STAGES: tuple[AttachmentStage, ...] = get_args(AttachmentStage)
SOUND: dict[str, Any] = {"error_code": None, "error_detail": None}


def attachment_rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """What a fact about an attachment does to its row and its stages."""
    touched = {"updated_at": recorded.at, "revision": recorded.position}
    match recorded.event:
        case AttachmentUploaded() as e:
            yield from _uploaded(e, recorded)
        case AttachmentExtracted() as e:
            known = {"document_title": e.title, "language": e.language, "media_type": e.media_type}
            counted = {"pages": e.pages, "characters": e.characters, "text_blob": e.blob}
            yield patch(
                ATTACHMENTS, id=e.attachment_id, status="processing", **known, **counted, **SOUND, **touched
            )
            yield _stage(e, "extract", "completed", recorded)
        case AttachmentIndexed() as e:
            yield patch(
                ATTACHMENTS, id=e.attachment_id, status="completed", chunks=e.chunks, **SOUND, **touched
            )
            yield _stage(e, "index", "completed", recorded)
        case AttachmentFailed() as e:
            why = {"error_code": e.code, "error_detail": e.detail}
            yield patch(ATTACHMENTS, id=e.attachment_id, status="failed", **why, **touched)
            yield _stage(e, e.stage, "failed", recorded, **why)
        case AttachmentRetried() as e:
            yield patch(ATTACHMENTS, id=e.attachment_id, status="processing", **SOUND, **touched)
            yield _stage(e, e.stage, "pending", recorded)
        case AttachmentMoved() as e:
            yield patch(ATTACHMENTS, id=e.attachment_id, job_id=e.job_id, **touched)
        case AttachmentDeleted() as e:
            yield delete(ATTACHMENTS, id=e.attachment_id)
            yield delete(ATTACHMENT_STAGES, attachment_id=e.attachment_id)


def _uploaded(e: AttachmentUploaded, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        ATTACHMENTS,
        id=e.attachment_id,
        upload_id=e.upload_id,
        session_id=e.session_id,
        job_id=e.job_id,
        title=e.title,
        file_name=e.file_name,
        media_type=e.media_type,
        size=e.size,
        blob=e.blob,
        status="accepted",
        uploaded_at=recorded.at,
        uploaded_by=recorded.actor,
        updated_at=recorded.at,
        position=recorded.position,
        revision=recorded.position,
    )
    for n, stage in enumerate(STAGES):
        yield upsert(
            ATTACHMENT_STAGES, attachment_id=e.attachment_id, n=n, stage=stage, state="pending", attempts=0
        )


def _stage(e: Any, stage: AttachmentStage, state: str, recorded: Recorded[Any], **why: str) -> Change:
    return patch(
        ATTACHMENT_STAGES,
        attachment_id=e.attachment_id,
        n=STAGES.index(stage),
        state=state,
        attempts=getattr(e, "attempts", 0),
        started_at=getattr(e, "started_at", None),
        finished_at=None if state == "pending" else recorded.at,
        **{**SOUND, **why},
    )


def attachment_chunk_rows(
    table: Table, index: str, recorded: Recorded[Any], content: ChunkSet | None
) -> Iterator[Change]:
    """What a fact about an attachment does to the index that answers searches."""
    match recorded.event:
        case AttachmentIndexed() as e if e.index == index:
            yield delete(table, source_id=e.attachment_id)
            yield from _chunks(table, e, content, recorded)
        case AttachmentMoved() as e:
            for n in range(e.chunks):
                yield patch(table, source_id=e.attachment_id, n=n, job_id=e.job_id)
        case AttachmentDeleted() as e:
            yield delete(table, source_id=e.attachment_id)


def _chunks(
    table: Table, e: AttachmentIndexed, content: ChunkSet | None, recorded: Recorded[Any]
) -> Iterator[Change]:
    if content is None:
        return
    for chunk, vector in zip(content.chunks, content.half_vectors(), strict=True):
        yield upsert(
            table,
            source_id=e.attachment_id,
            n=chunk.n,
            kind="attachment",
            job_id=e.job_id,
            session_id=e.session_id,
            text=chunk.text,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            page=chunk.page,
            recorded_at=recorded.at,
            embedding=vector,
        )
