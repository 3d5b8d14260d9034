"""A job with what is going on: as it is, from the read model, and as it was, from the log."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.jobsite import job_queries as queries
from app.jobsite import queries as session_queries
from app.jobsite.job_views import Counts, JobOverview, JobView
from app.jobsite.past import Memory, Moment, Past, keys, moment
from events.envelope import Key
from events.jobsite import Indexed, Transcribed, TranscriptCorrected
from projections.jobsite_attachments import ATTACHMENTS
from projections.jobsite_tables import (
    ACTION_ITEMS,
    BUILDERS,
    DECISIONS,
    DISCREPANCIES,
    HISTORY,
    JOBS,
    SESSIONS,
    SUBSCRIBERS,
    SUMMARIES,
)

SHOWN_ITEMS, SHOWN_SESSIONS = 20, 5


class Overview:
    """Answers for one job at a time."""

    def __init__(self, db: asyncpg.Pool, past: Past) -> None:
        self._db = db
        self._past = past

    async def of(self, job_id: UUID, as_of: str | None, now: datetime) -> JobOverview | None:
        """None when there is no such job, or was none then. Raises `Malformed`, `Invalid` and `Unavailable`."""
        if as_of is not None:
            return await self._then(job_id, moment(as_of), now)
        job = await queries.job(self._db, job_id)
        return await self._now(job, now) if job else None

    async def _now(self, job: JobView, now: datetime) -> JobOverview:
        db, id = self._db, job.id
        subscribers, counts, last, items, sessions, summary = await asyncio.gather(
            queries.subscribers(db, id),
            queries.counts(db, id, now.date()),
            queries.last_activity(db, id),
            queries.most_urgent(db, id, SHOWN_ITEMS),
            session_queries.sessions(db, job_id=id, limit=SHOWN_SESSIONS),
            queries.rolling(db, id),
        )
        return JobOverview(
            **msgspec.structs.asdict(job),
            subscribers=subscribers,
            counts=counts,
            last_activity_at=last,
            items=items,
            sessions=tuple([each for each, _ in sessions]),
            summary=summary,
        )

    async def _then(self, job_id: UUID, then: Moment, now: datetime) -> JobOverview | None:
        job = await self._past.of([Key("jobsite", "job", job_id)], then)
        rows = job.of(JOBS, id=job_id)
        if not rows:
            return None
        builder = await self._past.of(
            keys("builder", [rows[0]["builder_id"]] if rows[0]["builder_id"] else []), then
        )
        names = {each["id"]: each["name"] for each in builder.of(BUILDERS)}
        parts = await self._past.of(
            await self._parts(job_id), then, without=(Indexed, Transcribed, TranscriptCorrected)
        )
        day = then.at.date() if then.at else parts.last.at.date() if parts.last else now.date()
        return _overview(rows[0], names, job, parts, day)

    async def _parts(self, job_id: UUID) -> list[Key]:
        """What was ever known as the job's, or is now."""
        rows = await self._db.fetch(
            "select distinct aggregate, id from jobsite.history where job_id = $1 "
            "and aggregate in ('session', 'action_item', 'attachment') "
            "union select 'session', id from jobsite.sessions where job_id = $1 "
            "union select 'action_item', id from jobsite.action_items where job_id = $1 "
            "union select 'attachment', id from jobsite.attachments where job_id = $1",
            job_id,
        )
        return [Key("jobsite", row["aggregate"], row["id"]) for row in rows]


def _overview(
    row: Mapping[str, Any], builders: Mapping[UUID, str], job: Memory, parts: Memory, day: date
) -> JobOverview:
    id = row["id"]
    sessions = sorted(parts.of(SESSIONS, job_id=id), key=lambda each: -each["position"])
    items = sorted(
        parts.of(ACTION_ITEMS, job_id=id),
        key=lambda each: (each["due"] is None, each["due"] or day, each["position"]),
    )
    open_items = [each for each in items if not each["done"]]
    texts = {each["session_id"]: each["text"] for each in parts.of(SUMMARIES)}
    summed = [(each["id"], texts[each["id"]]) for each in sessions if each["id"] in texts]
    own = {
        each["id"] for table in (SESSIONS, ACTION_ITEMS, ATTACHMENTS) for each in parts.of(table, job_id=id)
    }
    happened = [
        *job.of(HISTORY),
        *(each for each in parts.of(HISTORY) if id == each["job_id"] or each["id"] in own),
    ]
    last = max(happened, key=lambda each: each["position"])
    known = {name: row[name] for name in JobView.__struct_fields__ if name != "builder"}
    return JobOverview(
        **known,
        builder=builders.get(row["builder_id"]),
        subscribers=tuple([each["email"] for each in job.of(SUBSCRIBERS, job_id=id)]),
        counts=Counts(
            sessions=len(sessions),
            attachments=len(parts.of(ATTACHMENTS, job_id=id)),
            open_items=len(open_items),
            done_items=len(items) - len(open_items),
            overdue_items=sum(1 for each in open_items if each["due"] and each["due"] < day),
            open_discrepancies=_undecided(parts, {each["id"] for each in sessions}),
        ),
        last_activity_at=last["at"],
        items=tuple([queries.action_item_view(each) for each in open_items[:SHOWN_ITEMS]]),
        sessions=tuple([session_queries.summary(each) for each in sessions[:SHOWN_SESSIONS]]),
        summary=queries.rolled(summed[: queries.ROLLING]),
        as_of=f"JOBSITE@{last['position']}",
    )


def _undecided(parts: Memory, sessions: set[UUID]) -> int:
    decided = {(each["session_id"], each["discrepancy_id"]) for each in parts.of(DECISIONS)}
    found = [(each["session_id"], each["id"]) for each in parts.of(DISCREPANCIES)]
    return sum(1 for each in found if each[0] in sessions and each not in decided)
