"""How far the stages of a session are, as rows."""

from collections.abc import Iterator
from typing import Any, get_args

from events.envelope import Recorded
from events.jobsite import (
    BELOW,
    Indexed,
    Notified,
    Reported,
    Stage,
    StageFailed,
    Summarised,
    Transcribed,
    Understood,
)
from projections.changes import Change, patch
from projections.jobsite_tables import SESSIONS, STAGES

ORDER: tuple[Stage, ...] = get_args(Stage)
RESULTS: dict[type[Any], Stage] = {
    Transcribed: "transcribe",
    Understood: "understand",
    Summarised: "summarise",
    Indexed: "index",
    Reported: "report",
    Notified: "notify",
}


def touched(recorded: Recorded[Any]) -> dict[str, Any]:
    """What changes in a row whatever changes in it."""
    return {"updated_at": recorded.at, "revision": recorded.position}


def pending(session_id: Any, *stages: Stage) -> Iterator[Change]:
    """These stages have not begun."""
    nothing = dict.fromkeys(("started_at", "finished_at", "error_code", "error_detail"))
    for stage in stages:
        yield patch(
            STAGES, session_id=session_id, n=ORDER.index(stage), state="pending", attempts=0, **nothing
        )


def void(session_id: Any, stage: Stage) -> Iterator[Change]:
    """What follows from a stage has to be done again."""
    yield from pending(session_id, *BELOW[stage])


def completed(e: Any, stage: Stage, recorded: Recorded[Any]) -> Iterator[Change]:
    """The stage has ended well; those behind it begin anew."""
    yield from void(e.session_id, stage)
    yield patch(
        STAGES,
        session_id=e.session_id,
        n=ORDER.index(stage),
        state="completed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=recorded.at,
        error_code=None,
        error_detail=None,
    )
    yield patch(SESSIONS, id=e.session_id, status=e.status, **touched(recorded))


def failed(e: StageFailed, recorded: Recorded[Any]) -> Iterator[Change]:
    """The stage will not succeed as things are."""
    yield patch(SESSIONS, id=e.session_id, status="failed", **touched(recorded))
    yield patch(
        STAGES,
        session_id=e.session_id,
        n=ORDER.index(e.stage),
        state="failed",
        attempts=e.attempts,
        started_at=e.started_at,
        finished_at=recorded.at,
        error_code=e.code,
        error_detail=e.detail,
    )
