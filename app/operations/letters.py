"""Dead letters as people deal with them, over REST and on the command line alike."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from events.envelope import Intent
from handlers.commands import Commands, Outcome
from handlers.operations.decide import Redrive
from handlers.refusals import NotFound

Status = Literal["open", "redriving", "resolved", "discarded"]
COLUMNS = "id, status, stream, position, subject, handler, error, attempts, event_id, reason, recorded_at, updated_at"


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event that a handler could not deal with."""

    id: UUID
    status: Status
    stream: str
    position: int
    subject: str
    handler: str
    error: str
    attempts: int
    event_id: UUID | None
    reason: str | None
    recorded_at: datetime
    updated_at: datetime


async def listed(
    db: asyncpg.Pool,
    *,
    status: str | None = None,
    handler: str | None = None,
    after: tuple[str, int, UUID] | None = None,
    limit: int = 200,
) -> list[DeadLetterView]:
    """Dead letters in the order of their events."""
    stream, position, letter = after or (None, None, None)
    rows = await db.fetch(
        f"select {COLUMNS} from operations.dead_letters "  # noqa: S608
        "where ($1::text is null or status = $1) and ($2::text is null or handler = $2) "
        "and ($3::text is null or (stream, position, id) > ($3, $4::bigint, $5::uuid)) "
        "order by stream, position, id limit $6",
        status,
        handler,
        stream,
        position,
        letter,
        limit,
    )
    return [DeadLetterView(**dict(row)) for row in rows]


async def shown(db: asyncpg.Pool, letter: UUID) -> DeadLetterView:
    """One dead letter. Raises `NotFound`."""
    row = await db.fetchrow(f"select {COLUMNS} from operations.dead_letters where id = $1", letter)  # noqa: S608
    if row is None:
        raise NotFound("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {letter}.")
    return DeadLetterView(**dict(row))


async def redrive(db: asyncpg.Pool, commands: Commands, letter: UUID, intent: Intent) -> Outcome:
    """Have its event handled again, after the earlier ones of the same aggregate that are still open."""
    earlier = await db.fetch(
        "select e.id from operations.dead_letters l join operations.dead_letters e "
        "on e.handler = l.handler and e.aggregate = l.aggregate and e.stream = l.stream and e.position < l.position "
        "where l.id = $1 and e.status in ('open', 'redriving') order by e.position",
        letter,
    )
    return await commands.execute(
        Redrive(dead_letter_id=letter, after=tuple(row["id"] for row in earlier)), intent
    )


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Dead letters by status."""
    rows = await db.fetch("select status, count(*) from operations.dead_letters group by status")
    return {row["status"]: row["count"] for row in rows}


async def alert_counts(db: asyncpg.Pool) -> dict[str, int]:
    """Alerts that stand, and those that are over."""
    rows = await db.fetch(
        "select cleared_at is null as stands, count(*) from operations.alerts group by stands"
    )
    return {"standing" if row["stands"] else "cleared": row["count"] for row in rows}
