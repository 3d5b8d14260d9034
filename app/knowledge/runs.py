"""The SQL that reads ingestions, and their stages with the newest signals of the handlers at work on top."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.knowledge.queries import fault
from app.knowledge.views import Fault, IngestionStatistics, IngestionSummary, StageView, Status
from handlers.knowledge.stages import RESUME, STAGE_OF
from infra.signals import Signals, progress_subject

INGESTION = (
    "i.id, i.document_id, c.name as collection, d.file_name, i.status, i.stage, i.queued_at, i.updated_at"
)
JOINED = (
    "knowledge.ingestions i join knowledge.documents d on d.id = i.document_id "
    "join knowledge.collections c on c.id = d.collection_id"
)
MESSAGES = {
    "pending": "Waits.",
    "processing": "Under way.",
    "completed": "Done.",
    "cancelled": "Cancelled.",
}


class Progress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A handler's signal about one attempt."""

    handler: str
    attempt: int
    progress: int
    started_at: datetime
    error: str | None = None
    retry_in: float | None = None
    """Seconds until the next attempt, when this one failed."""


async def ingestion(db: asyncpg.Pool, ingestion_id: UUID) -> IngestionSummary | None:
    row = await db.fetchrow(f"select {INGESTION} from {JOINED} where i.id = $1", ingestion_id)  # noqa: S608
    return IngestionSummary(**dict(row)) if row else None


async def ingestions(
    db: asyncpg.Pool,
    *,
    collection_id: UUID | None,
    document_id: UUID | None,
    status: str | None,
    before: int | None,
    limit: int,
) -> list[tuple[IngestionSummary, int]]:
    """The newest ingestions before a position of the log, each with its own position."""
    values: list[Any] = []
    conditions = []
    for value, condition in (
        (collection_id, "d.collection_id = ${n}"),
        (document_id, "i.document_id = ${n}"),
        (status, "i.status = ${n}"),
        (before, "i.position < ${n}"),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(n=len(values)))
    where = " and ".join(conditions) or "true"
    rows = await db.fetch(
        f"select {INGESTION}, i.position from {JOINED} where {where} "  # noqa: S608
        f"order by i.position desc limit ${len(values) + 1}",
        *values,
        limit,
    )
    found = []
    for row in rows:
        fields = dict(row)
        position = fields.pop("position")
        found.append((IngestionSummary(**fields), position))
    return found


async def statistics(db: asyncpg.Pool) -> IngestionStatistics:
    """How many there are, how far they are, and what went wrong."""
    counts = await db.fetch("select status, stage, count(*) from knowledge.ingestions group by status, stage")
    faults = await db.fetch(
        "select error_code, count(*) from knowledge.ingestion_stages where state = 'failed' "
        "and error_code is not null group by error_code order by 2 desc limit 50"
    )
    by_status: dict[str, int] = {}
    by_stage: dict[str, int] = {}
    for row in counts:
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["count"]
        if row["status"] in {"accepted", "processing"}:
            by_stage[row["stage"]] = by_stage.get(row["stage"], 0) + row["count"]
    return IngestionStatistics(
        total=sum(by_status.values()),
        by_status=by_status,
        by_stage=by_stage,
        failures={row["error_code"]: row["count"] for row in faults},
    )


async def stages(
    db: asyncpg.Pool, signals: Signals, document_id: UUID, ingestion_id: UUID
) -> tuple[list[StageView], bool]:
    """The stages of an ingestion as far as they are known, and whether one is at work."""
    rows = await db.fetch(
        "select stage, state, attempts, started_at, finished_at, error_code, error_detail, note "
        "from knowledge.ingestion_stages where document_id = $1 and ingestion_id = $2 order by n",
        document_id,
        ingestion_id,
    )
    pending = next((n for n, row in enumerate(rows) if row["state"] != "completed"), None)
    newest: Mapping[str, Progress] = {}
    if pending is not None and rows[pending]["state"] == "pending":
        newest = await latest(signals, document_id)
    return _shown(rows, pending, newest)


async def latest(signals: Signals, document_id: UUID) -> dict[str, Progress]:
    """The newest signal of each handler of a document."""
    subjects = {progress_subject("document", document_id, name): name for name in (*STAGE_OF, RESUME)}
    found = await signals.latest(list(subjects), Progress)
    return {subjects[subject]: signal for subject, signal in found.items()}


def _shown(
    rows: Sequence[asyncpg.Record], pending: int | None, newest: Mapping[str, Progress]
) -> tuple[list[StageView], bool]:
    shown, busy = [], False
    for n, row in enumerate(rows):
        doing = [each for name, each in newest.items() if STAGE_OF.get(name, row["stage"]) == row["stage"]]
        signal = max(doing, key=lambda each: each.started_at) if doing and n == pending else None
        busy = busy or signal is not None
        shown.append(_working(row, signal) if signal else _known(row))
    return shown, busy


def _known(row: asyncpg.Record) -> StageView:
    error = fault(row)
    return StageView(
        stage=row["stage"],
        state=row["state"],
        progress=100 if row["state"] == "completed" else 0,
        message=error.detail if error else _message(row),
        attempts=row["attempts"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=error,
    )


def _message(row: asyncpg.Record) -> str:
    """How far a stage is, with what is to be said of its result."""
    said = MESSAGES.get(row["state"], "")
    return f"{said} {row['note']}" if row["note"] and row["state"] == "completed" else said


def _working(row: asyncpg.Record, signal: Progress) -> StageView:
    message = f"Tried again in {signal.retry_in or 0:g} s." if signal.error else MESSAGES["processing"]
    return StageView(
        stage=row["stage"],
        state="processing",
        progress=min(signal.progress, 99),
        message=message,
        attempts=signal.attempt,
        started_at=signal.started_at,
        error=Fault(code="ATTEMPT_FAILED", detail=signal.error) if signal.error else None,
    )


def now(status: Status, busy: bool) -> Status:
    """The status, once a handler is known to be at work."""
    return "processing" if busy and status == "accepted" else status
