"""How far stages are right now: what the log knows, with the newest signals of the handlers at work on top."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args
from uuid import UUID

import msgspec

from app.jobsite.views import Fault, StageView, Status
from events.jobsite import Stage
from infra.signals import Signals, progress_subject

STAGES: tuple[Stage, ...] = get_args(Stage)


class Progress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A handler's signal about one attempt."""

    handler: str
    attempt: int
    progress: int
    started_at: datetime
    error: str | None = None
    retry_in: float | None = None
    """Seconds until the next attempt, when this one failed."""


async def latest(signals: Signals, session_id: UUID) -> dict[str, Progress]:
    """The newest signal of each stage of a session."""
    return await told(signals, "session", session_id, STAGES)


async def told(signals: Signals, aggregate: str, id: UUID, handlers: Sequence[str]) -> dict[str, Progress]:
    """The newest signal of each handler about something."""
    subjects = {progress_subject(aggregate, id, handler): handler for handler in handlers}
    found = await signals.latest(list(subjects))
    return {
        subjects[subject]: msgspec.json.decode(payload, type=Progress) for subject, payload in found.items()
    }


def overlay(
    status: Status, stages: Sequence[StageView], signals: Mapping[str, Progress]
) -> tuple[list[StageView], Status]:
    """Stages that the log does not know as ended, as their handlers last told; and the status that makes."""
    shown = [_now(stage, signals.get(stage.stage)) for stage in stages]
    busy = status == "accepted" and any(stage.state == "processing" for stage in shown)
    return shown, "processing" if busy else status


def _now(stage: StageView, signal: Progress | None) -> StageView:
    if stage.state != "pending" or signal is None:
        return stage
    return StageView(
        stage=stage.stage,
        state="processing",
        progress=min(signal.progress, 99),
        attempts=signal.attempt,
        started_at=signal.started_at,
        error=Fault(code="ATTEMPT_FAILED", detail=signal.error) if signal.error else None,
    )
