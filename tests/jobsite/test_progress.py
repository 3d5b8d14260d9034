"""How far stages are shown to be, by what the log knows and what handlers told last."""

from datetime import timedelta

from app.jobsite.progress import Progress, fresh, overlay
from app.jobsite.views import StageView, State
from tests.jobsite.facts import MONDAY


def stage(name: str, state: State, minutes: int | None = None) -> StageView:
    ended = None if minutes is None else MONDAY + timedelta(minutes=minutes)
    return StageView(stage=name, state=state, progress=0, attempts=1, finished_at=ended)


def signal(handler: str, minutes: int) -> Progress:
    return Progress(handler=handler, attempt=1, progress=40, started_at=MONDAY + timedelta(minutes=minutes))


def test_a_signal_from_before_the_stage_above_ended_tells_of_a_run_that_was_made_void() -> None:
    understood = stage("understand", "completed", 10)
    pending = (understood, stage("summarise", "pending"), stage("report", "pending"))
    told = {"summarise": signal("summarise", 5), "report": signal("report", 6)}
    assert fresh(pending, told) == {}
    assert fresh(pending, {"summarise": signal("summarise_moved", 11)}).keys() == {"summarise"}


def test_a_stage_that_is_at_work_is_shown_with_its_progress() -> None:
    stages = (stage("understand", "failed", 10), stage("index", "pending"))
    shown, status = overlay("failed", stages, fresh(stages, {"index": signal("index_unstood", 10)}))
    assert [(each.stage, each.state, each.progress) for each in shown] == [
        ("understand", "failed", 0),
        ("index", "processing", 40),
    ]
    assert status == "failed"
