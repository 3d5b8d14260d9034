"""How far stages are right now: what the log knows, with the newest signals of the handlers at work on top."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.jobsite.views import Fault, StageView, Status
from handlers.jobsite.session.wishes import NEEDS
from infra.signals import Signals, progress_subject

HANDLERS = (
    "transcribe",
    *("understand", "understand_again", "understand_retry"),
    *("summarise", "summarise_moved"),
    *("index", "index_unstood", "index_moved"),
    *("report", "report_requested"),
    "notify",
)
"""The handlers of sessions, called as their stage is, or `<stage>_<more>`."""
SKEW = timedelta(seconds=5)
"""How far the clocks of workers may be apart."""


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
    """The newest signal of each stage of a session, whichever of its handlers sent it."""
    found = await told(signals, "session", session_id, HANDLERS)
    oldest_first = sorted(found.items(), key=lambda each: each[1].started_at)
    return {handler.partition("_")[0]: signal for handler, signal in oldest_first}


def fresh(stages: Sequence[StageView], signals: Mapping[str, Progress]) -> dict[str, Progress]:
    """Without signals of runs that have been made void: those from before the stage above ended last."""
    ended = {each.stage: each for each in stages}

    def counts(stage: str, signal: Progress) -> bool:
        above = ended.get(NEEDS[stage]) if stage in NEEDS else None
        if above is None:
            return True
        begun = above.finished_at is None or signal.started_at >= above.finished_at - SKEW
        return begun and above.state in {"completed", "failed"}

    return {stage: signal for stage, signal in signals.items() if counts(stage, signal)}


async def told(signals: Signals, aggregate: str, id: UUID, handlers: Sequence[str]) -> dict[str, Progress]:
    """The newest signal of each handler about something."""
    subjects = {progress_subject(aggregate, id, handler): handler for handler in handlers}
    found = await signals.latest(list(subjects), Progress)
    return {subjects[subject]: signal for subject, signal in found.items()}


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
