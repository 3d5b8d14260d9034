"""HTTP of `jobsite`: a session's report, read and asked for again."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.intents import created_id, intent
from events.envelope import Key
from handlers.commands import Commands
from handlers.jobsite.session.commands import RequestReport
from handlers.refusals import Conflict, NotFound
from infra.blobs import BlobMissing, Blobs

HTML, TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
STYLED = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
"""The report has its style in itself, and nothing else is let in."""


class Requested(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The report will be made of what is known now, and sent."""

    session_id: UUID
    position: str
    status_url: str


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    exists: Callable[[Key], Awaitable[bool]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of reports."""

    async def read(call: Call[None, None]) -> Reply:
        session_id = call.ids["sessionId"]
        row = await db.fetchrow(
            "select report_html, report_text from jobsite.sessions where id = $1", session_id
        )
        if row is None and not await exists(Key("jobsite", "session", session_id)):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        plain = wants_text(call.request.headers.get("Accept", ""))
        key: str | None = row["report_text" if plain else "report_html"] if row else None
        try:
            content = await blobs.get(key) if key else None
        except BlobMissing:
            content = None
        if key is None or content is None:
            raise NotFound(
                "REPORT_NOT_FOUND", "There is no report yet; it follows once the recording is summed up."
            )
        headers = {
            "Content-Type": TEXT if plain else HTML,
            "Content-Security-Policy": STYLED,
            "Vary": "Accept",
        }
        return Reply(body=content, headers=headers, etag=key)

    async def ask(call: Call[None, None]) -> Reply:
        session_id = call.ids["sessionId"]
        made = intent(call, clock, session_id)
        command = RequestReport(session_id=session_id, request_id=created_id(made, "report"))
        outcome = await commands.execute(command, made)
        answer = Requested(
            session_id=session_id,
            position=outcome.cursor,
            status_url=f"/v1/upload/status/{session_id}",
        )
        return Reply(body=answer, position=outcome.cursor)

    return (
        Endpoint(
            method="GET",
            path="/v1/sessions/{sessionId}/report",
            handle=read,
            summary="The report of a recording",
            description="HTML, or plain text for `Accept: text/plain`.",
            tag="sessions",
            scope="jobsite:read",
            media_type="text/html",
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/sessions/{sessionId}/report",
            handle=ask,
            summary="Make the report anew and send it again",
            description="To everybody: corrections alone make a new report, and mail it only to who has had none.",
            tag="sessions",
            scope="jobsite:write",
            status=202,
            answer=Requested,
            refusals=(NotFound, Conflict),
        ),
    )


def wants_text(accept: str) -> bool:
    """Whether plain text is asked for before HTML."""
    kinds = [each.partition(";")[0].strip().lower() for each in accept.split(",")]
    return "text/plain" in kinds and "text/html" not in kinds[: kinds.index("text/plain")]
