"""HTTP of `jobsite`: recordings in; sessions, their progress and what was said in them out."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page
from app.http.endpoints import Call, Endpoint, Reply
from app.http.moments import in_utc
from app.http.multipart import Multipart
from app.http.versions import version_of
from app.intents import created_id, intent
from app.jobsite import queries
from app.jobsite.changes import not_deleted
from app.jobsite.fields import AsOf, Email, Limit, Text, Title, before, page
from app.jobsite.intake import LARGEST, receive
from app.jobsite.progress import fresh, latest, overlay
from app.jobsite.recording import recording
from app.jobsite.sights import Sights
from app.jobsite.views import Accepted, SessionSummary, SessionView, Status, UploadStatus
from events.envelope import Key
from events.ids import derived_id
from handlers.commands import Commands
from handlers.jobsite.session.commands import UploadAudio
from handlers.refusals import NotFound, TooLarge, Unsupported
from infra.blobs import Blobs
from infra.signals import Signals

LINK_KEPT = 900
"""Seconds after which a client's copy of a session is sent anew, because the link in it is good for a while only."""


class UploadFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What may be said of a recording.

    Its JSON is part of a request's fingerprint: it leaves out defaults, so that a later field changes no old one.
    """

    job_id: UUID | None = None
    title: Title | None = None
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    notify_email: Email | None = None

    def __post_init__(self) -> None:
        if self.recorded_at:
            msgspec.structs.force_setattr(self, "recorded_at", in_utc(self.recorded_at, "recordedAt"))


class SessionsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which sessions to list, newest first."""

    job_id: UUID | None = None
    builder_id: UUID | None = None
    status: Status | None = None
    q: Text | None = None
    """A part of the title, the file's name or what was said."""
    recorded_after: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    recorded_before: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """When it was recorded, or else uploaded: from the one, to before the other."""
    limit: Limit = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        for name, told in (("recorded_after", "recordedAfter"), ("recorded_before", "recordedBefore")):
            if at := getattr(self, name):
                msgspec.structs.force_setattr(self, name, in_utc(at, told))


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    exists: Callable[[Key], Awaitable[bool]],
    link: Callable[[Call[Any, Any], str, str, str], Awaitable[str]],
    sights: Sights,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of recordings and sessions."""

    async def upload(call: Call[None, None]) -> Reply:
        form, blob = await receive(call, blobs, recording)
        fields: UploadFields = form.fields
        await not_deleted(commands, fields.job_id)
        made = intent(call, clock, blob.key, fields)
        session_id = created_id(made, "session")
        command = UploadAudio(
            session_id=session_id,
            upload_id=derived_id(session_id, "upload"),
            blob=blob.key,
            size=blob.size,
            media_type=blob.media_type,
            file_name=form.file.file_name,
            job_id=fields.job_id,
            title=fields.title,
            recorded_at=fields.recorded_at,
            notify_email=fields.notify_email,
        )
        outcome = await commands.execute(command, made, fresh=True)
        answer = Accepted(
            session_id=session_id,
            upload_id=command.upload_id,
            position=outcome.cursor,
            status_url=f"/v1/upload/status/{session_id}",
        )
        return Reply(body=answer, position=outcome.cursor, headers={"Location": f"/v1/sessions/{session_id}"})

    async def found(session_id: UUID) -> asyncpg.Record:
        row = await queries.session(db, session_id)
        if row is None and await exists(Key("jobsite", "session", session_id)):
            row = await queries.session(db, session_id)
        if row is None:
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        return row

    async def status(call: Call[None, None]) -> Reply:
        session_id = call.ids["sessionId"]
        row = await found(session_id)
        known = await queries.stages(db, session_id)
        shown, overall = overlay(row["status"], known, fresh(known, await latest(signals, session_id)))
        return Reply(
            body=UploadStatus(
                session_id=session_id, upload_id=row["upload_id"], status=overall, stages=tuple(shown)
            ),
            headers={"Cache-Control": "no-store"},
        )

    async def listing(call: Call[SessionsQuery, None]) -> Reply:
        q = call.query
        rows = await queries.sessions(
            db,
            job_id=q.job_id,
            builder_id=q.builder_id,
            status=q.status,
            q=q.q,
            recorded_after=q.recorded_after,
            recorded_before=q.recorded_before,
            before=before(q.cursor),
            limit=q.limit + 1,
        )
        body = page(rows, q.limit)
        return Reply(body=body, etag=version_of(body))

    async def session(call: Call[AsOf, None]) -> Reply:
        session_id = call.ids["sessionId"]
        if call.query.as_of:
            then = await sights.then(call, session_id, call.query.as_of)
            plain = msgspec.structs.replace(then, audio_url="")
            return Reply(body=then, etag=f"{version_of(plain)}-{_period(clock())}")
        row = await found(session_id)
        view = await sights.now(call, row, await latest(signals, session_id))
        done = view.status in {"completed", "failed"}
        parts = (row["revision"], await queries.decided(db, session_id), _period(clock()))
        return Reply(body=view, etag="-".join(map(str, parts)) if done else None)

    return (
        Endpoint(
            method="POST",
            path="/v1/upload/audio",
            settled=False,
            handle=upload,
            summary="Upload a recording",
            description="The type is told by the content: wav, mp3, m4a, ogg/opus, webm or flac.",
            tag="recordings",
            scope="jobsite:write",
            multipart=Multipart(fields=UploadFields, limit=LARGEST, description="The recording."),
            answer=Accepted,
            status=202,
            refusals=(NotFound, TooLarge, Unsupported),
        ),
        Endpoint(
            method="GET",
            path="/v1/upload/status/{sessionId}",
            handle=status,
            summary="How far a recording is",
            tag="recordings",
            scope="jobsite:read",
            answer=UploadStatus,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path="/v1/sessions",
            handle=listing,
            summary="List sessions, newest first",
            tag="sessions",
            scope="jobsite:read",
            query=SessionsQuery,
            answer=Page[SessionSummary],
        ),
        Endpoint(
            method="GET",
            path="/v1/sessions/{sessionId}",
            handle=session,
            summary="A session with its transcript, its summary and what follows from it",
            description="`asOf` answers from the log as it was then.",
            tag="sessions",
            scope="jobsite:read",
            query=AsOf,
            answer=SessionView,
            refusals=(NotFound,),
        ),
    )


def _period(at: datetime) -> int:
    return int(at.timestamp()) // LINK_KEPT
