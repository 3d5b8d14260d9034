"""HTTP of `jobsite`: doing a stage again, and transcribing again with a look at the difference first."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.intents import created_id, intent
from app.jobsite import queries
from events.envelope import Key
from events.jobsite import Correction, Stage
from handlers.commands import Commands
from handlers.jobsite.reading import folded
from handlers.jobsite.session.commands import AcceptTranscript, RequestTranscription, RetryStage
from handlers.jobsite.session.state import Session
from handlers.refusals import Conflict, NotFound
from infra.blobs import BlobMissing, Blobs
from infra.log import Log
from infra.speech import Transcript
from infra.speech.corrections import corrected
from infra.speech.differences import Difference, differences

TranscriptionState = Literal["requested", "proposed", "accepted", "failed"]


class Retry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which stage to try again; without one, the first that failed."""

    stage: Stage | None = None


class Retrying(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    session_id: UUID
    position: str
    status_url: str


class Transcribe(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How to transcribe again."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    """Another than the usual one, as the speech server calls it."""
    dry_run: bool = False
    """Only show the difference; `accept` replaces the transcript."""


class Transcribing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    session_id: UUID
    transcription_id: UUID
    position: str
    url: str


class TranscriptionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A request for another transcript."""

    id: UUID
    session_id: UUID
    state: TranscriptionState
    dry_run: bool
    model: str | None
    """The one that was asked for, or has answered."""
    words: int | None
    error_code: str | None
    error_detail: str | None
    requested_at: datetime
    updated_at: datetime


class Compared(TranscriptionView, frozen=True, kw_only=True):
    """With the difference to the transcript that holds, while it is only proposed."""

    kept: int = 0
    """Words that both have."""
    replaced: int = 0
    inserted: int = 0
    deleted: int = 0
    differences: tuple[Difference, ...] = ()


class Transcriptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    items: list[TranscriptionView]
    next_cursor: str | None = None


COLUMNS = (
    "request_id as id, session_id, state, dry_run, model, words, "
    "error_code, error_detail, requested_at, updated_at"
)


def endpoints(
    *, commands: Commands, log: Log, db: asyncpg.Pool, blobs: Blobs, clock: Callable[[], datetime]
) -> tuple[Endpoint, ...]:
    """The endpoints of retries and other transcripts."""

    async def retry(call: Call[None, Retry]) -> Reply:
        session_id = call.ids["sessionId"]
        made = intent(call, clock, session_id, call.body)
        outcome = await commands.execute(RetryStage(session_id=session_id, stage=call.body.stage), made)
        url = f"/v1/upload/status/{session_id}"
        answer = Retrying(session_id=session_id, position=outcome.cursor, status_url=url)
        return Reply(body=answer, position=outcome.cursor)

    async def transcribe(call: Call[None, Transcribe]) -> Reply:
        session_id = call.ids["sessionId"]
        made = intent(call, clock, session_id, call.body)
        request_id = created_id(made, "transcription")
        command = RequestTranscription(
            session_id=session_id, request_id=request_id, model=call.body.model, dry_run=call.body.dry_run
        )
        outcome = await commands.execute(command, made)
        url = f"/v1/sessions/{session_id}/transcriptions/{request_id}"
        answer = Transcribing(
            session_id=session_id, transcription_id=request_id, position=outcome.cursor, url=url
        )
        return Reply(body=answer, position=outcome.cursor, headers={"Location": url})

    async def accept(call: Call[None, None]) -> Reply:
        session_id, request_id = call.ids["sessionId"], call.ids["transcriptionId"]
        made = intent(call, clock, session_id, request_id)
        outcome = await commands.execute(AcceptTranscript(session_id=session_id, request_id=request_id), made)
        url = f"/v1/upload/status/{session_id}"
        answer = Retrying(session_id=session_id, position=outcome.cursor, status_url=url)
        return Reply(body=answer, position=outcome.cursor)

    async def listing(call: Call[None, None]) -> Reply:
        session_id = call.ids["sessionId"]
        rows = await db.fetch(
            f"select {COLUMNS} from jobsite.transcriptions "  # noqa: S608
            "where session_id = $1 order by requested_at desc, request_id",
            session_id,
        )
        if not rows and await queries.session(db, session_id) is None:
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        body = Transcriptions(items=[TranscriptionView(**dict(row)) for row in rows])
        return Reply(body=body, etag=version_of(body))

    async def one(call: Call[None, None]) -> Reply:
        session_id, request_id = call.ids["sessionId"], call.ids["transcriptionId"]
        row = await db.fetchrow(
            f"select {COLUMNS}, blob from jobsite.transcriptions "  # noqa: S608
            "where session_id = $1 and request_id = $2",
            session_id,
            request_id,
        )
        if row is None:
            raise NotFound(
                "TRANSCRIPTION_NOT_FOUND", f"There is no transcription {request_id} of this session."
            )
        fields = dict(row)
        blob = fields.pop("blob")
        found = await _compare(session_id, blob) if fields["state"] == "proposed" and blob else ()
        counts: dict[str, Any] = _counts(found)
        return Reply(body=Compared(**fields, **counts, differences=found))

    async def _compare(session_id: UUID, blob: str) -> tuple[Difference, ...]:
        """With the transcript as it would read: corrections hold for both."""
        session = folded(await log.load(Key("jobsite", "session", session_id)))
        if not isinstance(session, Session) or session.transcript is None:
            return ()
        try:
            before = await _read(session.transcript, session.corrections)
            after = await _read(blob, session.corrections)
        except BlobMissing:
            return ()
        return await asyncio.to_thread(differences, before, after)

    async def _read(blob: str, corrections: tuple[Correction, ...]) -> Transcript:
        transcript = msgspec.json.decode(await blobs.get(blob), type=Transcript)
        return await asyncio.to_thread(corrected, transcript, corrections)

    session = "/v1/sessions/{sessionId}"
    return (
        Endpoint(
            method="POST",
            path=f"{session}/retry",
            handle=retry,
            summary="Try a failed stage again",
            tag="sessions",
            scope="jobsite:write",
            body=Retry,
            status=202,
            answer=Retrying,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST",
            path=f"{session}/transcribe",
            handle=transcribe,
            summary="Transcribe a recording again",
            description="With another model, say. `dryRun` shows what would change and replaces nothing. "
            "Corrections hold for the new transcript too.",
            tag="sessions",
            scope="jobsite:write",
            body=Transcribe,
            example=Transcribe(dry_run=True),
            status=202,
            answer=Transcribing,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path=f"{session}/transcriptions",
            handle=listing,
            summary="Requests for other transcripts, newest first",
            tag="sessions",
            scope="jobsite:read",
            answer=Transcriptions,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path=f"{session}/transcriptions/{{transcriptionId}}",
            handle=one,
            summary="Another transcript, and how it differs",
            tag="sessions",
            scope="jobsite:read",
            answer=Compared,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path=f"{session}/transcriptions/{{transcriptionId}}/accept",
            handle=accept,
            summary="Let a proposed transcript replace the one that holds",
            description="What was made of the old one is made again.",
            tag="sessions",
            scope="jobsite:write",
            status=202,
            answer=Retrying,
            refusals=(NotFound,),
        ),
    )


def _counts(found: tuple[Difference, ...]) -> dict[str, int]:
    """Words of each kind; of what is replaced, those of the longer side."""
    counts = dict.fromkeys(("kept", "replaced", "inserted", "deleted"), 0)
    for each in found:
        counts[each.kind] += max(len(each.was.split()), len(each.now.split()))
    return counts
