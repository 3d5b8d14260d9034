"""The SQL that reads projects and their messages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.chat.views import CitedView, CodeBlockView, Fault, MessageView, ProjectSummary, UsageView

SUMMARY = "id, title, messages, created_at, updated_at"
WITHDRAWN = "This reply is gone: something that it was made from was deleted."
MATCHES = (
    "(title ilike '%' || $1 || '%' or exists (select from chat.messages m where m.project_id = projects.id "
    "and to_tsvector('simple', left(m.content, 100000)) @@ plainto_tsquery('simple', $2)))"
)
SHOWN = "(status = 'withdrawn' or content <> '' and status <> 'processing')"
"""Whether there is something to show: words, or that they are gone."""
BRANCH = f"""
with recursive branch as (
    select m.*, 0 as depth from chat.messages m where m.project_id = $1 and m.message = $2
    union all
    select m.*, b.depth + 1 from branch b
    join chat.messages m on m.project_id = $1 and m.message = b.parent
    where b.depth + 1 < $3
)
select *, {SHOWN} as shown from branch order by depth desc
"""  # noqa: S608
NEWEST_LEAF = """
with recursive down as (
    select message, position from chat.messages where project_id = $1 and message = $2
    union all
    select child.message, child.position from down
    cross join lateral (
        select message, position from chat.messages
        where project_id = $1 and parent = down.message order by position desc limit 1
    ) child
)
select message from down order by position desc limit 1
"""


async def projects(
    db: asyncpg.Pool,
    *,
    query: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    contexts: Collection[str],
) -> list[ProjectSummary]:
    """The projects that changed last, before a place in that order; `query` is looked for in titles and messages.

    `contexts` are those whose sources may be read.
    """
    at, id = before or (None, None)
    pattern = query and query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await db.fetch(
        f"select {SUMMARY} from chat.projects where ($1::text is null or {MATCHES}) "  # noqa: S608
        "and ($3::timestamptz is null or (updated_at, id) < ($3, $4::uuid)) "
        "and ($6 or not reads_knowledge) and ($7 or not reads_jobsite) "
        "order by updated_at desc, id desc limit $5",
        pattern, query, at, id, limit, "knowledge" in contexts, "jobsite" in contexts,
    )  # fmt: skip
    return [summary(row) for row in rows]


def summary(row: asyncpg.Record) -> ProjectSummary:
    return ProjectSummary(
        id=row["id"],
        title=row["title"],
        message_count=row["messages"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def project(db: asyncpg.Pool, project_id: UUID) -> asyncpg.Record | None:
    """The row of a project."""
    return await db.fetchrow("select * from chat.projects where id = $1", project_id)


async def request(db: asyncpg.Pool, project_id: UUID, command_id: UUID) -> asyncpg.Record | None:
    """What came of a request that had a key of the client's."""
    return await db.fetchrow(
        "select position, fingerprint from chat.requests where project_id = $1 and command_id = $2",
        project_id,
        command_id,
    )


async def message(db: asyncpg.Pool, project_id: UUID, message_id: UUID) -> asyncpg.Record | None:
    """The row of a message."""
    return await db.fetchrow(
        "select * from chat.messages where project_id = $1 and message = $2", project_id, message_id
    )


async def branch(
    db: asyncpg.Pool, project_id: UUID, leaf: UUID | None, *, most: int
) -> tuple[MessageView, ...]:
    """The last messages of a branch, oldest first, each with its siblings; replies without any text are left out."""
    rows = await db.fetch(BRANCH, project_id, leaf, most)
    siblings = await db.fetch(
        "select message, parent from chat.messages where project_id = $1 "
        "and (content <> '' or status in ('processing', 'withdrawn')) "
        "and (parent = any($2::uuid[]) or parent is null) order by position",
        project_id,
        [row["parent"] for row in rows if row["parent"]],
    )
    of: dict[UUID | None, list[UUID]] = {}
    for each in siblings:
        of.setdefault(each["parent"], []).append(each["message"])
    return tuple(view(row, of.get(row["parent"], ())) for row in rows if row["shown"])


async def fault(db: asyncpg.Pool, project_id: UUID, message_id: UUID | None) -> Fault | None:
    """Why a reply has no words, if it failed."""
    row = await message(db, project_id, message_id) if message_id else None
    return _fault(row) if row else None


async def whole(db: asyncpg.Pool, project_id: UUID) -> tuple[MessageView, ...]:
    """Every message of every branch, in the order in which they were begun."""
    rows = await db.fetch(
        f"select * from chat.messages where project_id = $1 and {SHOWN} order by position, role desc",  # noqa: S608
        project_id,
    )
    return tuple(view(row, ()) for row in rows)


async def changed(db: asyncpg.Pool, project_id: UUID, after: int, until: int) -> list[asyncpg.Record]:
    """Messages that were sent or ended behind one position and up to another, in that order."""
    rows: list[asyncpg.Record] = await db.fetch(
        "select * from chat.messages where project_id = $1 and revision > $2 and revision <= $3 "
        "and status <> 'processing' order by revision",
        project_id,
        after,
        until,
    )
    return rows


async def leaf_below(db: asyncpg.Pool, project_id: UUID, message_id: UUID) -> UUID | None:
    """The end of the newest branch that goes through a message."""
    found: UUID | None = await db.fetchval(NEWEST_LEAF, project_id, message_id)
    return found


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """How many projects there are, and how many of them are being replied to."""
    row = await db.fetchrow("select count(*) as all, count(running) as running from chat.projects")
    return {"all": row["all"], "replying": row["running"]} if row else {}


def view(row: asyncpg.Record, siblings: Sequence[UUID]) -> MessageView:
    """A message as it is shown."""
    reply, gone = row["role"] == "assistant", row["status"] == "withdrawn"
    return MessageView(
        id=row["message"],
        role=row["role"],
        content=WITHDRAWN if gone else row["content"],
        code_blocks=msgspec.json.decode(row["code_blocks"], type=tuple[CodeBlockView, ...]),
        created_at=row["created_at"],
        parent_id=row["parent"],
        siblings=tuple(siblings),
        status=row["status"],
        attempts=row["attempts"],
        model=row["model"],
        cut=row["cut"],
        method=row["method"],
        citations=msgspec.json.decode(row["citations"], type=tuple[CitedView, ...]),
        usage=_usage(row) if reply else None,
        error=_fault(row),
    )


def _fault(row: asyncpg.Record) -> Fault | None:
    return Fault(code=row["error_code"], detail=row["error_detail"] or "") if row["error_code"] else None


def _usage(row: asyncpg.Record) -> UsageView:
    return UsageView(
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        context_messages=row["context_messages"],
    )
