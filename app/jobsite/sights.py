"""A session with everything that is known of it: as it is, from the read model, and as it was, from the log."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.endpoints import Call
from app.jobsite import job_queries, queries
from app.jobsite.past import Memory, Past, keys, moment
from app.jobsite.progress import Progress, fresh, overlay
from app.jobsite.views import SessionView
from events.jobsite import Indexed
from handlers.refusals import NotFound
from projections.jobsite_tables import (
    ACTION_ITEMS,
    DECISIONS,
    DISCREPANCIES,
    SEGMENTS,
    SESSIONS,
    STAGES,
    SUGGESTIONS,
    SUMMARIES,
)

Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]
MOST = 200
"""Action items and discrepancies that are shown with a session."""


class Sights:
    """Answers for one session at a time."""

    def __init__(self, db: asyncpg.Pool, past: Past, link: Link) -> None:
        self._db = db
        self._past = past
        self._link = link

    async def now(
        self, call: Call[Any, Any], row: asyncpg.Record, newest: Mapping[str, Progress]
    ) -> SessionView:
        """`row` is the session's; `newest` are the signals of its handlers."""
        db, id = self._db, row["id"]
        stages, transcript, summary, suggestions, items, discrepancies = await asyncio.gather(
            queries.stages(db, id),
            queries.transcript(db, row),
            queries.summed_up(db, id),
            queries.suggestions(db, id),
            job_queries.action_items(db, session_id=id, limit=MOST),
            job_queries.discrepancies(db, session_id=id, limit=MOST),
        )
        shown, status = overlay(row["status"], stages, fresh(stages, newest))
        return await self._view(
            call,
            row,
            status=status,
            stages=tuple(shown),
            transcript=transcript,
            summary=summary,
            suggestions=suggestions,
            action_items=tuple([each for each, _ in items]),
            discrepancies=tuple([each for each, _ in discrepancies]),
        )

    async def then(self, call: Call[Any, Any], session_id: UUID, as_of: str) -> SessionView:
        """Raises `NotFound` when there was none, or is none any more; `Malformed`, `Invalid`, `Unavailable`."""
        then = moment(as_of)
        memory = await self._past.of(keys("session", [session_id]), then, without=(Indexed,))
        rows = memory.of(SESSIONS, id=session_id)
        if not rows or memory.last is None:
            raise NotFound(
                "SESSION_NOT_FOUND", f"There was no session {session_id} then, or there is none now."
            )
        asked = await self._past.of(keys("action_item", await queries.ever_asked(self._db, session_id)), then)
        summaries = memory.of(SUMMARIES)
        return await self._view(
            call,
            rows[0],
            status=rows[0]["status"],
            stages=tuple([queries.stage_of(each) for each in memory.of(STAGES)]),
            transcript=queries.transcript_view(rows[0], memory.of(SEGMENTS)),
            summary=queries.summary_view(summaries[0]) if summaries else None,
            suggestions=tuple([queries.suggestion_view(each) for each in memory.of(SUGGESTIONS)]),
            action_items=tuple([job_queries.action_item_view(each) for each in asked.of(ACTION_ITEMS)]),
            discrepancies=_discrepancies(memory, rows[0]),
            as_of=memory.last.cursor,
        )

    async def _view(self, call: Call[Any, Any], row: Mapping[str, Any], **known: Any) -> SessionView:
        return SessionView(
            **{**msgspec.structs.asdict(queries.summary(row)), **known},
            uploaded_by=row["uploaded_by"],
            notify_email=row["notify_email"],
            audio_url=await self._link(call, row["blob"], row["media_type"], row["file_name"]),
            corrections=row["corrections"],
            understood_by=row["understood_by"],
        )


def _discrepancies(memory: Memory, session: Mapping[str, Any]) -> tuple[Any, ...]:
    decided = {each["discrepancy_id"]: each for each in memory.of(DECISIONS)}
    nothing = dict.fromkeys(("decision", "note", "decided_by", "decided_at"))
    return tuple(
        [
            job_queries.discrepancy_view(
                {**nothing, **decided.get(each["id"], {}), **each, "job_id": session["job_id"]}
            )
            for each in memory.of(DISCREPANCIES)
        ]
    )
