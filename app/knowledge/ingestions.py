"""HTTP of ingestions: how far they are, and stopping or retrying them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.knowledge import runs
from app.knowledge.finding import Finding
from app.knowledge.views import Changed, IngestionStatistics, IngestionSummary, IngestionView, Status
from handlers.commands import Commands
from handlers.knowledge.document.commands import CancelIngestion, RetryIngestion
from handlers.refusals import Conflict, NotFound
from infra.signals import Signals


class IngestionsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which ingestions to list, newest first."""

    collection: str | None = None
    document_id: UUID | None = None
    status: Status | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    signals: Signals,
    finding: Finding,
    caught_up: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    async def found(id: UUID) -> IngestionSummary:
        summary = await runs.ingestion(db, id)
        if summary is None:  # it may have been begun a moment ago
            await caught_up()
            summary = await runs.ingestion(db, id)
        if summary is None:
            raise NotFound("INGESTION_NOT_FOUND", f"There is no ingestion {id}.")
        return summary

    async def listing(call: Call[IngestionsQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None
        rows = await runs.ingestions(
            db,
            collection_id=await finding.readable(q.collection) if q.collection else None,
            document_id=q.document_id,
            status=q.status,
            before=before,
            limit=q.limit + 1,
        )
        more = to_cursor(rows[q.limit - 1][1]) if len(rows) > q.limit else None
        return Reply(body=Page([summary for summary, _ in rows[: q.limit]], more))

    async def show(call: Call[None, None]) -> Reply:
        summary = await found(call.ids["ingestionId"])
        stages, busy = await runs.stages(db, signals, summary.document_id, summary.id)
        fields = {**msgspec.structs.asdict(summary), "status": runs.now(summary.status, busy)}
        return Reply(
            body=IngestionView(**fields, stages=tuple(stages)), headers={"Cache-Control": "no-store"}
        )

    async def statistics(_: Call[None, None]) -> Reply:
        return Reply(body=await runs.statistics(db))

    async def order(call: Call[None, None], command: type[CancelIngestion] | type[RetryIngestion]) -> Reply:
        id = call.ids["ingestionId"]
        summary = await found(id)
        outcome = await commands.execute(
            command(document_id=summary.document_id, ingestion_id=id), intent(call, clock, id)
        )
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def cancel(call: Call[None, None]) -> Reply:
        return await order(call, CancelIngestion)

    async def retry(call: Call[None, None]) -> Reply:
        return await order(call, RetryIngestion)

    return (
        Endpoint(
            method="GET", path="/v1/ingestions", handle=listing, summary="List ingestions, newest first",
            tag="ingestions", scope="knowledge:read", query=IngestionsQuery, answer=Page[IngestionSummary],
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET", path="/v1/ingestions/statistics", handle=statistics,
            summary="Ingestions by status and stage, and what failed", tag="ingestions", scope="knowledge:read",
            answer=IngestionStatistics,
        ),
        Endpoint(
            method="GET", path="/v1/ingestions/{ingestionId}", handle=show, summary="How far an ingestion is",
            tag="ingestions", scope="knowledge:read", answer=IngestionView, refusals=(NotFound,),
        ),
        Endpoint(
            method="POST", path="/v1/ingestions/{ingestionId}/cancel", handle=cancel,
            summary="Stop an ingestion",
            tag="ingestions", scope="knowledge:write", answer=Changed, status=202, refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST", path="/v1/ingestions/{ingestionId}/retry", handle=retry,
            summary="Go on with an ingestion that failed or was stopped, from the stage that it was at",
            tag="ingestions", scope="knowledge:write", answer=Changed, status=202, refusals=(NotFound, Conflict),
        ),
    )  # fmt: skip
