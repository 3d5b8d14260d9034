"""The SQL that reads attachments."""

from uuid import UUID

import asyncpg

from app.jobsite.attachment_views import AttachmentSummary
from app.jobsite.queries import stage_of
from app.jobsite.views import Fault, StageView

PLAIN = (
    "id, session_id, job_id, file_name, media_type, size, status, pages, characters, language, "
    "uploaded_at, updated_at"
)


async def attachment(db: asyncpg.Pool, attachment_id: UUID) -> asyncpg.Record | None:
    """The row of an attachment."""
    return await db.fetchrow("select * from jobsite.attachments where id = $1", attachment_id)


async def attachments(
    db: asyncpg.Pool,
    *,
    job_id: UUID | None,
    session_id: UUID | None,
    status: str | None,
    before: int | None,
    limit: int,
) -> list[tuple[AttachmentSummary, int]]:
    """The newest attachments before a position of the log, each with its own position."""
    rows = await db.fetch(
        f"select {PLAIN}, title, document_title, error_code, error_detail, position "  # noqa: S608
        "from jobsite.attachments "
        "where ($1::uuid is null or job_id = $1) and ($2::uuid is null or session_id = $2) "
        "and ($3::text is null or status = $3) and ($4::bigint is null or position < $4) "
        "order by position desc limit $5",
        job_id,
        session_id,
        status,
        before,
        limit,
    )
    return [(summary(row), row["position"]) for row in rows]


def summary(row: asyncpg.Record) -> AttachmentSummary:
    code = row["error_code"]
    return AttachmentSummary(
        **{name: row[name] for name in PLAIN.split(", ")},
        title=row["title"] or row["document_title"],
        error=Fault(code=code, detail=row["error_detail"] or "") if code else None,
    )


async def stages(db: asyncpg.Pool, attachment_id: UUID) -> list[StageView]:
    """The stages of an attachment, in their order, as far as the log knows."""
    rows = await db.fetch(
        "select stage, state, attempts, started_at, finished_at, error_code, error_detail "
        "from jobsite.attachment_stages where attachment_id = $1 order by n",
        attachment_id,
    )
    return [stage_of(row) for row in rows]


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Attachments by status."""
    rows = await db.fetch("select status, count(*) from jobsite.attachments group by status")
    return {row["status"]: row["count"] for row in rows}


async def titles(db: asyncpg.Pool, attachments: list[UUID]) -> dict[UUID, asyncpg.Record]:
    """What a hit shows of its attachment."""
    rows = await db.fetch(
        "select id, coalesce(title, document_title) as title, file_name, media_type, blob, job_id "
        "from jobsite.attachments where id = any($1::uuid[])",
        attachments,
    )
    return {row["id"]: row for row in rows}
