"""HTTP of `jobsite`: attachments, how far they are, what they say, and the files themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.jobsite import attachment_queries as queries
from app.jobsite.attachment_views import AttachmentSummary, AttachmentView, PageView, TextView
from app.jobsite.progress import Progress, overlay, told
from app.jobsite.views import StageView, Status
from events.envelope import Key
from handlers.refusals import NotFound
from infra.blobs import BlobMissing, Blobs
from infra.documents import Parsed
from infra.signals import Signals

LINK_KEPT = 900
"""Seconds after which a client's copy is sent anew, because the link in it is good for a while only."""
LARGEST_TEXT = 256 << 20
HANDLERS = ("extract", "index_attachment", "retry_attachment")


class AttachmentsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which attachments to list, newest first."""

    job_id: UUID | None = None
    session_id: UUID | None = None
    status: Status | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class AttachmentQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    text: bool = False
    """Whether to show what the document says."""


def endpoints(
    *,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    exists: Callable[[Key], Awaitable[bool]],
    link: Callable[[Call[Any, Any], str, str, str], Awaitable[str]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """Reading attachments."""

    async def found(attachment_id: UUID) -> asyncpg.Record:
        row = await queries.attachment(db, attachment_id)
        if row is None and await exists(Key("jobsite", "attachment", attachment_id)):
            row = await queries.attachment(db, attachment_id)
        if row is None:
            raise NotFound("ATTACHMENT_NOT_FOUND", f"There is no attachment {attachment_id}.")
        return row

    async def url(call: Call[Any, Any], row: asyncpg.Record) -> str:
        return await link(call, row["blob"], row["media_type"], row["file_name"] or "attachment")

    async def listing(call: Call[AttachmentsQuery, None]) -> Reply:
        q = call.query
        rows = await queries.attachments(
            db,
            job_id=q.job_id,
            session_id=q.session_id,
            status=q.status,
            before=from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None,
            limit=q.limit + 1,
        )
        more = to_cursor(rows[q.limit - 1][1]) if len(rows) > q.limit else None
        body = Page([summary for summary, _ in rows[: q.limit]], more)
        return Reply(body=body, etag=version_of(body))

    async def show(call: Call[AttachmentQuery, None]) -> Reply:
        row = await found(call.ids["attachmentId"])
        known, newest = await asyncio.gather(
            queries.stages(db, row["id"]), told(signals, "attachment", row["id"], HANDLERS)
        )
        shown, overall = _overlay(row["status"], known, newest)
        view = AttachmentView(
            **{**msgspec.structs.asdict(queries.summary(row)), "status": overall},
            uploaded_by=row["uploaded_by"],
            original_url=await url(call, row),
            chunks=row["chunks"],
            stages=tuple(shown),
            text=await _text(blobs, row["text_blob"]) if call.query.text else None,
        )
        if overall not in {"completed", "failed"}:
            return Reply(body=view, headers={"Cache-Control": "no-store"})
        period = int(clock().timestamp()) // LINK_KEPT
        return Reply(body=view, etag=f"{row['revision']}-{period}-{call.query.text:d}")

    async def original(call: Call[None, None]) -> Reply:
        row = await found(call.ids["attachmentId"])
        return Reply(headers={"Location": await url(call, row), "Cache-Control": "no-store"})

    def reading(path: str, handle: Any, summary: str, **options: Any) -> Endpoint:
        return Endpoint(
            method="GET",
            path=path,
            handle=handle,
            summary=summary,
            tag="attachments",
            scope="jobsite:read",
            **options,
        )

    return (
        reading(
            "/v1/attachments",
            listing,
            "List attachments, newest first",
            query=AttachmentsQuery,
            answer=Page[AttachmentSummary],
        ),
        reading(
            "/v1/attachments/{attachmentId}",
            show,
            "An attachment, how far it is, and its text",
            query=AttachmentQuery,
            answer=AttachmentView,
            refusals=(NotFound,),
        ),
        reading(
            "/v1/attachments/{attachmentId}/original",
            original,
            "Download the file",
            description="Leads to a link that serves the file, and ranges of it, for a while.",
            status=302,
            refusals=(NotFound,),
        ),
    )


async def _text(blobs: Blobs, blob: str | None) -> TextView | None:
    if blob is None:
        return None
    try:
        parsed = Parsed.decode(await blobs.get(blob, LARGEST_TEXT))
    except BlobMissing:
        return None
    pages = tuple(
        PageView(number=page.number, start_char=page.start_char, end_char=page.end_char)
        for page in parsed.pages
    )
    return TextView(text=parsed.text, pages=pages, metadata=dict(parsed.metadata))


def _overlay(
    status: Status, known: Sequence[StageView], newest: Mapping[str, Progress]
) -> tuple[list[StageView], Status]:
    """The first stage that is not over is what the newest signal is about, whichever handler sent it."""
    if status in {"completed", "failed"} or not newest:
        return list(known), status
    signal = max(newest.values(), key=lambda each: each.started_at)
    waiting = next((each.stage for each in known if each.state == "pending"), None)
    return overlay(status, known, {waiting: signal} if waiting else {})
