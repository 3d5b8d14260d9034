"""HTTP of discrepancies: what contradicts what, and what people make of it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.jobsite import job_queries as queries
from app.jobsite.changes import carried_out
from app.jobsite.fields import Limit, Note
from app.jobsite.job_views import Done
from app.jobsite.views import Decision, DiscrepancyView
from handlers.commands import Commands
from handlers.jobsite.session.commands import DecideDiscrepancy
from handlers.refusals import NotFound


class DiscrepanciesQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which discrepancies to list, newest first."""

    job_id: UUID | None = None
    session_id: UUID | None = None
    state: Decision | None = None
    limit: Limit = 50
    cursor: str | None = None


class DecisionBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why, or what is to be done about it."""

    note: Note = ""


def endpoints(*, commands: Commands, db: asyncpg.Pool, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of discrepancies."""

    async def listing(call: Call[DiscrepanciesQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[Place, UUID]) if q.cursor else None
        found = await queries.discrepancies(
            db,
            job_id=q.job_id,
            session_id=q.session_id,
            state=q.state,
            before=before,
            limit=q.limit + 1,
        )
        last = found[q.limit - 1] if len(found) > q.limit else None
        more = to_cursor(last[1], last[0].id) if last else None
        body = Page([view for view, _ in found[: q.limit]], more)
        return Reply(body=body, etag=version_of(body))

    def deciding(verb: str, summary: str, *, accepted: bool) -> Endpoint:
        async def decide(call: Call[None, DecisionBody]) -> Reply:
            session_id, discrepancy_id = call.ids["sessionId"], call.ids["discrepancyId"]
            command = DecideDiscrepancy(
                session_id=session_id,
                discrepancy_id=discrepancy_id,
                accepted=accepted,
                note=call.body.note,
            )
            return await carried_out(commands, call, clock, discrepancy_id, command)

        return Endpoint(
            method="POST",
            path=f"/v1/sessions/{{sessionId}}/discrepancies/{{discrepancyId}}/{verb}",
            handle=decide,
            summary=summary,
            tag="discrepancies",
            scope="jobsite:write",
            body=DecisionBody,
            answer=Done,
            refusals=(NotFound,),
        )

    return (
        Endpoint(
            method="GET",
            path="/v1/discrepancies",
            handle=listing,
            summary="List discrepancies, newest first",
            tag="discrepancies",
            scope="jobsite:read",
            query=DiscrepanciesQuery,
            answer=Page[DiscrepancyView],
        ),
        deciding("accept", "Accept a discrepancy: somebody has to act on it", accepted=True),
        deciding("dismiss", "Dismiss a discrepancy: it is none, or does not matter", accepted=False),
    )
