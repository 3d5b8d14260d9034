"""The SQL that reads builders, jobs, action items and discrepancies."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.jobsite.job_views import BuilderView, Counts, HappeningView, JobView, RollingSummary
from app.jobsite.queries import pattern
from app.jobsite.views import ActionItemView, DiscrepancyView
from events.jobsite import Place
from infra.understanding import Quote

Found = list[tuple[Any, int]]
"""Views, each with its place in the list."""

ROLLING = 5
"""Recordings in a job's rolling summary."""
BUILDER = (
    "select b.*, (select count(*) from jobsite.jobs j where j.builder_id = b.id and not j.closed) as jobs "
    "from jobsite.builders b"
)
JOB = "select j.*, b.name as builder from jobsite.jobs j left join jobsite.builders b on b.id = j.builder_id"
DISCREPANCY = (
    "select d.*, s.job_id, c.decision, c.note, c.decided_by, c.decided_at from jobsite.discrepancies d "
    "join jobsite.sessions s on s.id = d.session_id "
    "left join jobsite.decisions c on c.session_id = d.session_id and c.discrepancy_id = d.id"
)
OF_JOB = (
    "h.job_id = $1 or h.id = $1 or h.id in (select id from jobsite.sessions where job_id = $1) "
    "or h.id in (select id from jobsite.action_items where job_id = $1) "
    "or h.id in (select id from jobsite.attachments where job_id = $1)"
)
"""What concerns a job: what said so itself, and what is known as the job's by now."""


async def builders(
    db: asyncpg.Pool, *, q: str | None, before: int | None, limit: int
) -> list[tuple[BuilderView, int]]:
    rows = await db.fetch(
        f"{BUILDER} where ($1::text is null or b.name ilike $1) and ($2::bigint is null or b.position < $2) "
        "order by b.position desc limit $3",
        pattern(q),
        before,
        limit,
    )
    return [(_view(BuilderView, row), row["position"]) for row in rows]


async def builder(db: asyncpg.Pool, id: UUID) -> BuilderView | None:
    row = await db.fetchrow(f"{BUILDER} where b.id = $1", id)
    return _view(BuilderView, row) if row else None


async def jobs(
    db: asyncpg.Pool,
    *,
    builder_id: UUID | None,
    q: str | None,
    closed: bool | None,
    before: int | None,
    limit: int,
) -> list[tuple[JobView, int]]:
    rows = await db.fetch(
        f"{JOB} where ($1::uuid is null or j.builder_id = $1) and ($2::text is null or j.name ilike $2) "
        "and ($3::boolean is null or j.closed = $3) and ($4::bigint is null or j.position < $4) "
        "order by j.position desc limit $5",
        builder_id,
        pattern(q),
        closed,
        before,
        limit,
    )
    return [(_view(JobView, row), row["position"]) for row in rows]


async def job(db: asyncpg.Pool, id: UUID) -> JobView | None:
    row = await db.fetchrow(f"{JOB} where j.id = $1", id)
    return _view(JobView, row) if row else None


async def jobs_of(db: asyncpg.Pool, builder_id: UUID) -> int:
    """How many jobs a builder has, closed ones too."""
    return int(await db.fetchval("select count(*) from jobsite.jobs where builder_id = $1", builder_id))


async def subscribers(db: asyncpg.Pool, job_id: UUID) -> tuple[str, ...]:
    rows = await db.fetch(
        "select email from jobsite.subscribers where job_id = $1 order by since, address", job_id
    )
    return tuple([row["email"] for row in rows])


async def counts(db: asyncpg.Pool, job_id: UUID, today: date) -> Counts:
    row = await db.fetchrow(
        "select (select count(*) from jobsite.sessions where job_id = $1) as sessions, "
        "(select count(*) from jobsite.attachments where job_id = $1) as attachments, "
        "count(*) filter (where not done) as open_items, count(*) filter (where done) as done_items, "
        "count(*) filter (where not done and due < $2) as overdue_items, "
        "(select count(*) from jobsite.discrepancies d join jobsite.sessions s on s.id = d.session_id "
        "where s.job_id = $1 and not exists (select from jobsite.decisions c where c.session_id = d.session_id "
        "and c.discrepancy_id = d.id)) as open_discrepancies from jobsite.action_items where job_id = $1",
        job_id,
        today,
    )
    return Counts(**dict(row))


async def last_activity(db: asyncpg.Pool, job_id: UUID) -> Any:
    return await db.fetchval(f"select max(at) from jobsite.history h where {OF_JOB}", job_id)  # noqa: S608


async def rolling(db: asyncpg.Pool, job_id: UUID) -> RollingSummary | None:
    rows = await db.fetch(
        "select s.id, m.text from jobsite.summaries m join jobsite.sessions s on s.id = m.session_id "
        "where s.job_id = $1 order by s.position desc limit $2",
        job_id,
        ROLLING,
    )
    return rolled([(row["id"], row["text"]) for row in rows])


def rolled(summaries: list[tuple[UUID, str]]) -> RollingSummary | None:
    """Summaries, the newest first, as one."""
    if not summaries:
        return None
    return RollingSummary(
        text="\n".join(text for _, text in summaries), sessions=tuple([id for id, _ in summaries])
    )


async def action_items(
    db: asyncpg.Pool,
    *,
    job_id: UUID | None = None,
    session_id: UUID | None = None,
    owner: str | None = None,
    done: bool | None = None,
    due_before: date | None = None,
    before: int | None = None,
    limit: int,
) -> list[tuple[ActionItemView, int]]:
    rows = await db.fetch(
        "select * from jobsite.action_items where ($1::uuid is null or job_id = $1) "
        "and ($2::uuid is null or session_id = $2) and ($3::text is null or lower(owner) = lower($3)) "
        "and ($4::boolean is null or done = $4) and ($5::date is null or due < $5) "
        "and ($6::bigint is null or position < $6) order by position desc limit $7",
        job_id,
        session_id,
        owner.replace("\0", "") if owner else None,
        done,
        due_before,
        before,
        limit,
    )
    return [(action_item_view(row), row["position"]) for row in rows]


async def most_urgent(db: asyncpg.Pool, job_id: UUID, limit: int) -> tuple[ActionItemView, ...]:
    rows = await db.fetch(
        "select * from jobsite.action_items where job_id = $1 and not done order by due nulls last, position limit $2",
        job_id,
        limit,
    )
    return tuple([action_item_view(row) for row in rows])


async def action_item(db: asyncpg.Pool, id: UUID) -> ActionItemView | None:
    row = await db.fetchrow("select * from jobsite.action_items where id = $1", id)
    return action_item_view(row) if row else None


def action_item_view(row: Mapping[str, Any]) -> ActionItemView:
    place = msgspec.json.decode(row["place"], type=Place) if row["place"] else None
    view: ActionItemView = _view(ActionItemView, row, place=place)
    return view


async def discrepancies(
    db: asyncpg.Pool,
    *,
    job_id: UUID | None = None,
    session_id: UUID | None = None,
    state: str | None = None,
    before: tuple[int, UUID] | None = None,
    limit: int,
) -> list[tuple[DiscrepancyView, int]]:
    position, id = before or (None, None)
    rows = await db.fetch(
        f"{DISCREPANCY} where ($1::uuid is null or s.job_id = $1) and ($2::uuid is null or d.session_id = $2) "
        "and ($3::text is null or coalesce(c.decision, 'open') = $3) "
        "and ($4::bigint is null or (d.position, d.id) < ($4, $5::uuid)) "
        "order by d.position desc, d.id desc limit $6",
        job_id,
        session_id,
        state,
        position,
        id,
        limit,
    )
    return [(discrepancy_view(row), row["position"]) for row in rows]


def discrepancy_view(row: Mapping[str, Any]) -> DiscrepancyView:
    quotes = {name: msgspec.json.decode(row[name], type=Quote) for name in ("said", "against")}
    view: DiscrepancyView = _view(DiscrepancyView, row, state=row["decision"] or "open", **quotes)
    return view


async def timeline(
    db: asyncpg.Pool, job_id: UUID, *, before: int | None, limit: int
) -> list[tuple[HappeningView, int]]:
    rows = await db.fetch(
        "select h.*, coalesce(s.title, nullif(s.file_name, ''), i.text, j.name, a.title, "  # noqa: S608
        "nullif(a.file_name, '')) as about from jobsite.history h "
        "left join jobsite.attachments a on a.id = h.id left join jobsite.sessions s on s.id = h.id "
        "left join jobsite.action_items i on i.id = h.id left join jobsite.jobs j on j.id = h.id "
        f"where ({OF_JOB}) and ($2::bigint is null or h.position < $2) order by h.position desc limit $3",
        job_id,
        before,
        limit,
    )
    return [
        (
            HappeningView(
                position=f"JOBSITE@{row['position']}",
                at=row["at"],
                event=f"jobsite.{row['aggregate']}.{row['event']}",
                actor=row["actor"],
                id=row["id"],
                about=row["about"],
            ),
            row["position"],
        )
        for row in rows
    ]


def _view(kind: type[Any], row: Mapping[str, Any], **known: Any) -> Any:
    """A view from the columns of its fields' names."""
    names = [name for name in kind.__struct_fields__ if name not in known]
    return kind(**{name: row[name] for name in names}, **known)


async def named(db: asyncpg.Pool) -> list[asyncpg.Record]:
    """Every job by its name; one that only recordings or attachments tell of has none."""
    rows: list[asyncpg.Record] = await db.fetch(
        "select id, name from jobsite.jobs union select job_id, null from ("
        "select job_id from jobsite.sessions union select job_id from jobsite.attachments) told "
        "where job_id is not null and job_id not in (select id from jobsite.jobs)"
    )
    return rows
