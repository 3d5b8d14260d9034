"""HTTP of `operations`: dead letters and alerts."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.operations import letters
from app.operations.letters import DeadLetterView, Status
from handlers.commands import Commands
from handlers.operations.decide import Discard
from handlers.refusals import Conflict, NotFound


class LettersQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which dead letters to list, in the order of their events."""

    status: Status | None = None
    handler: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class AlertsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which alerts to list: those still standing first, then the newest."""

    standing: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class DiscardBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class AlertView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that needs, or needed, a person."""

    id: UUID
    kind: str
    subject: str
    detail: str
    raised_at: datetime
    cleared_at: datetime | None


def endpoints(*, commands: Commands, db: asyncpg.Pool, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of dead letters and alerts."""

    async def listing(call: Call[LettersQuery, None]) -> Reply:
        q = call.query
        after = from_cursor(q.cursor, tuple[str, Place, UUID]) if q.cursor else None
        found = await letters.listed(db, status=q.status, handler=q.handler, after=after, limit=q.limit + 1)
        page, more = found[: q.limit], len(found) > q.limit
        last = page[-1] if page else None
        return Reply(
            body=Page(page, to_cursor(last.stream, last.position, last.id) if more and last else None)
        )

    async def show(call: Call[None, None]) -> Reply:
        return Reply(body=await letters.shown(db, call.ids["deadLetterId"]))

    async def redrive(call: Call[None, None]) -> Reply:
        letter = call.ids["deadLetterId"]
        outcome = await letters.redrive(db, commands, letter, intent(call, clock, letter))
        return Reply(position=outcome.cursor)

    async def discard(call: Call[None, DiscardBody]) -> Reply:
        command = Discard(dead_letter_id=call.ids["deadLetterId"], reason=call.body.reason)
        outcome = await commands.execute(command, intent(call, clock, command))
        return Reply(position=outcome.cursor)

    async def alerts(call: Call[AlertsQuery, None]) -> Reply:
        q = call.query
        after = from_cursor(q.cursor, tuple[bool, datetime, UUID]) if q.cursor else (None, None, None)
        rows = await db.fetch(
            "select id, kind, subject, detail, raised_at, cleared_at from operations.alerts "
            "where ($1::bool is null or (cleared_at is null) = $1) and ($2::bool is null "
            "or (cleared_at is not null, $3::timestamptz, id) > ($2, raised_at, $4::uuid)) "
            "order by cleared_at is not null, raised_at desc, id limit $5",
            q.standing,
            *after,
            q.limit + 1,
        )
        page = [AlertView(**dict(row)) for row in rows[: q.limit]]
        last = page[-1] if len(rows) > q.limit else None
        return Reply(
            body=Page(page, to_cursor(bool(last.cleared_at), last.raised_at, last.id) if last else None)
        )

    return (
        Endpoint(
            method="GET",
            path="/v1/dead-letters",
            handle=listing,
            summary="List dead letters, in the order of their events",
            tag="operations",
            scope="operations:read",
            query=LettersQuery,
            answer=Page[DeadLetterView],
        ),
        Endpoint(
            method="GET",
            path="/v1/dead-letters/{deadLetterId}",
            handle=show,
            summary="A dead letter",
            tag="operations",
            scope="operations:read",
            answer=DeadLetterView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="POST",
            path="/v1/dead-letters/{deadLetterId}/redrive",
            handle=redrive,
            summary="Have its event handled again",
            tag="operations",
            scope="operations:write",
            status=202,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST",
            path="/v1/dead-letters/{deadLetterId}/discard",
            handle=discard,
            summary="Decide that its event need not be handled",
            tag="operations",
            scope="operations:write",
            body=DiscardBody,
            status=204,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="GET",
            path="/v1/alerts",
            handle=alerts,
            summary="Alerts, those still standing first",
            tag="operations",
            scope="operations:read",
            query=AlertsQuery,
            answer=Page[AlertView],
        ),
    )
