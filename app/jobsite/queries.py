"""The SQL that reads sessions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.jobsite.views import (
    Fault,
    SegmentView,
    SessionSummary,
    StageView,
    SuggestionView,
    SummaryView,
    TranscriptView,
    WordView,
)
from app.search.sources import MomentView, Spot
from infra.understanding import Quote

SUMMARY = (
    "id, upload_id, job_id, title, status, file_name, media_type, size, seconds, words, "
    "recorded_at, uploaded_at, updated_at"
)


Row = Mapping[str, Any]


def pattern(text: str | None) -> str | None:
    """For `ilike`: the text anywhere."""
    if text is None:
        return None
    plain = text.replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


async def session(db: asyncpg.Pool, session_id: UUID) -> asyncpg.Record | None:
    """The row of a session."""
    return await db.fetchrow("select * from jobsite.sessions where id = $1", session_id)


async def sessions(
    db: asyncpg.Pool,
    *,
    job_id: UUID | None = None,
    builder_id: UUID | None = None,
    status: str | None = None,
    q: str | None = None,
    recorded_after: datetime | None = None,
    recorded_before: datetime | None = None,
    before: int | None = None,
    limit: int,
) -> list[tuple[SessionSummary, int]]:
    """The newest sessions before a position of the log, each with its own position."""
    rows = await db.fetch(
        f"select {SUMMARY}, position from jobsite.sessions "  # noqa: S608
        "where ($1::uuid is null or job_id = $1) and ($2::text is null or status = $2) "
        "and ($3::bigint is null or position < $3) "
        "and ($5::uuid is null or job_id in (select id from jobsite.jobs where builder_id = $5)) "
        "and ($6::text is null or title ilike $6 or file_name ilike $6 or transcript ilike $6) "
        "and ($7::timestamptz is null or coalesce(recorded_at, uploaded_at) >= $7) "
        "and ($8::timestamptz is null or coalesce(recorded_at, uploaded_at) < $8) "
        "order by position desc limit $4",
        job_id,
        status,
        before,
        limit,
        builder_id,
        pattern(q),
        recorded_after,
        recorded_before,
    )
    return [(summary(row), row["position"]) for row in rows]


def summary(row: Row) -> SessionSummary:
    return SessionSummary(**{name: row[name] for name in SUMMARY.split(", ")})


async def stages(db: asyncpg.Pool, session_id: UUID) -> list[StageView]:
    """The stages of a session, in their order, as far as the log knows."""
    rows = await db.fetch(
        "select stage, state, attempts, started_at, finished_at, error_code, error_detail "
        "from jobsite.stages where session_id = $1 order by n",
        session_id,
    )
    return [stage_of(row) for row in rows]


def stage_of(row: Row) -> StageView:
    error = Fault(code=row["error_code"], detail=row["error_detail"] or "") if row["error_code"] else None
    return StageView(
        stage=row["stage"],
        state=row["state"],
        progress=100 if row["state"] == "completed" else 0,
        attempts=row["attempts"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=error,
    )


async def transcript(db: asyncpg.Pool, found: asyncpg.Record) -> TranscriptView | None:
    """What was said, if it is known yet."""
    if found["transcript"] is None:
        return None
    rows = await db.fetch(
        "select n, text, start_s, end_s, start_char, end_char, confidence, speaker, words "
        "from jobsite.segments where session_id = $1 order by n",
        found["id"],
    )
    return transcript_view(found, rows)


def transcript_view(found: Row, segments: Sequence[Row]) -> TranscriptView | None:
    if found["transcript"] is None:
        return None
    return TranscriptView(
        text=found["transcript"],
        language=found["language"],
        model=found["model"],
        segments=tuple([_segment(row) for row in segments]),
    )


async def summed_up(db: asyncpg.Pool, session_id: UUID) -> SummaryView | None:
    row = await db.fetchrow("select * from jobsite.summaries where session_id = $1", session_id)
    return summary_view(row) if row else None


def summary_view(row: Row) -> SummaryView:
    return SummaryView(
        text=row["text"],
        method=row["method"],
        sentences=msgspec.json.decode(row["sentences"], type=tuple[Quote, ...]),
        notes=msgspec.json.decode(row["notes"], type=tuple[str, ...]),
        made_at=row["made_at"],
    )


async def suggestions(db: asyncpg.Pool, session_id: UUID) -> tuple[SuggestionView, ...]:
    rows = await db.fetch("select * from jobsite.suggestions where session_id = $1 order by n", session_id)
    return tuple([suggestion_view(row) for row in rows])


def suggestion_view(row: Row) -> SuggestionView:
    return SuggestionView(
        kind=row["kind"],
        said=row["said"],
        id=row["candidate_id"],
        name=row["candidate"],
        similarity=row["similarity"],
    )


def _segment(row: Row) -> SegmentView:
    fields: dict[str, Any] = {
        name: row[name] for name in ("n", "text", "start_char", "end_char", "confidence", "speaker")
    }
    words = msgspec.json.decode(row["words"], type=tuple[WordView, ...])
    return SegmentView(start=row["start_s"], end=row["end_s"], words=words, **fields)


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Sessions by status."""
    rows = await db.fetch("select status, count(*) from jobsite.sessions group by status")
    return {row["status"]: row["count"] for row in rows}


async def titles(db: asyncpg.Pool, sessions: list[UUID]) -> dict[UUID, asyncpg.Record]:
    """What a hit shows of its session."""
    rows = await db.fetch(
        "select id, title, file_name, media_type, blob, job_id from jobsite.sessions where id = any($1::uuid[])",
        sessions,
    )
    return {row["id"]: row for row in rows}


async def moments(db: asyncpg.Pool, spots: Sequence[Spot]) -> dict[tuple[UUID, int], MomentView]:
    """At each spot, the segment that has most of its words; the first, when none has any."""
    rows = await db.fetch(
        "select distinct on (h.session_id, h.n) h.session_id, h.n, s.text, s.start_s, s.end_s "
        "from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[]) as h (session_id, n, first, last, words) "
        "join jobsite.segments s on s.session_id = h.session_id and s.start_char < h.last and s.end_char > h.first "
        "order by h.session_id, h.n, ts_rank(to_tsvector('english', s.text), "
        "replace(plainto_tsquery('english', h.words)::text, '&', '|')::tsquery) desc, s.n",
        [spot.source_id for spot in spots],
        [spot.n for spot in spots],
        [spot.start_char for spot in spots],
        [spot.end_char for spot in spots],
        [spot.words.replace("\0", " ") for spot in spots],
    )
    return {
        (row["session_id"], row["n"]): MomentView(text=row["text"], start=row["start_s"], end=row["end_s"])
        for row in rows
    }


async def ever_asked(db: asyncpg.Pool, session_id: UUID) -> list[UUID]:
    """The action items that a session asks for, or has asked for."""
    rows = await db.fetch(
        "select id from jobsite.action_items where session_id = $1 "
        "union select id from jobsite.withdrawn_items where session_id = $1",
        session_id,
    )
    return [row["id"] for row in rows]


async def decided(db: asyncpg.Pool, session_id: UUID) -> int:
    """The newest position of what belongs to a session beside itself: its action items."""
    return int(
        await db.fetchval(
            "select coalesce(max(revision), 0) + count(*) from jobsite.action_items where session_id = $1",
            session_id,
        )
    )
