"""From what matters to what the office reads: the report, and who is to have it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from events.envelope import Recorded
from events.jobsite import ReportRequested, Summarised, Understood
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from handlers.jobsite.action_item.decide import ActionItem, Deleted, Withdrawn
from handlers.jobsite.job.decide import Job
from handlers.jobsite.reading import Reading, folded
from handlers.jobsite.session.commands import FailStage, RecordReport
from handlers.jobsite.session.state import Session
from infra.blobs import BlobMissing, Blobs, once
from infra.reports import Content, Item, subject
from infra.reports.html import html
from infra.reports.text import text
from infra.understanding import Summary, Understanding


def reporters(
    *, reading: Reading, blobs: Blobs, url: str, clock: Callable[[], datetime]
) -> tuple[Handler, ...]:
    """The handlers of `summarised`, and of somebody's wish to have the report again. `url` is where the API is."""

    async def report(
        recorded: Recorded[Summarised | ReportRequested], attempt: Attempt
    ) -> RecordReport | FailStage | None:
        started, event = clock(), recorded.event
        past = await reading.past("session", event.session_id)
        session = folded(past)
        if not isinstance(session, Session) or session.summarised is None or session.understood is None:
            return None
        blob = event.blob if isinstance(event, Summarised) else event.summary
        if session.summarised.blob != blob:
            return None  # it is summed up anew: its report follows from that
        try:
            summary = await reading.summary(blob)
            understanding = await reading.understanding(session.understood.blob)
            found = (*summary.discrepancies, *await reading.found_later(past))
        except BlobMissing:
            return _failed(event, "SUMMARY_MISSING", "The summary is gone from the blob store.", attempt)
        job = await reading.job(session.job_id)
        content = Content(
            title=session.title or f"Recording of {session.recorded_at or past[0].at:%Y-%m-%d}",
            job=job.title if job else None,
            builder=await _builder(session.understood, job),
            recorded_at=session.recorded_at or past[0].at,
            seconds=understanding.transcript.seconds,
            summary=summary.text,
            method=summary.method,
            items=await _items(session.understood, understanding, summary),
            discrepancies=[each for each in found if session.decided.get(each.id) is not False],
            notes=summary.notes,
            url=f"{url}/v1/sessions/{event.session_id}",
        )
        pages = await blobs.put(once(html(content).encode()), media_type="text/html; charset=utf-8")
        plain = await blobs.put(once(text(content).encode()), media_type="text/plain; charset=utf-8")
        return RecordReport(
            session_id=event.session_id,
            summary=blob,
            title=content.title,
            subject=subject(content),
            html=pages.key,
            text=plain.key,
            recipients=_recipients(session.notify_email, job),
            action_items=sum(not each.done for each in content.items),
            discrepancies=len(content.discrepancies),
            attempts=attempt.number,
            started_at=started,
        )

    async def _builder(understood: Understood, job: Job | None) -> str | None:
        builder = await reading.builder(job.builder_id if job else understood.builder_id)
        return builder.title if builder else None

    async def _items(
        understood: Understood, understanding: Understanding, summary: Summary
    ) -> Sequence[Item]:
        """What is to be done, as it stands now; as it was said, where it is not among the action items yet."""
        said = [each for each in understanding.commands if each.kind == "action_item"]
        asked: list[tuple[UUID, Any]] = list(
            zip(understood.action_items if understood else (), said, strict=False)
        )
        asked += [(each.id, each) for each in summary.action_items]
        found = []
        for id, each in asked:
            match await reading.action_item(id):
                case ActionItem() as now:
                    found.append(Item(text=now.text, owner=now.owner, due=now.due, done=now.done))
                case Deleted() | Withdrawn():
                    pass
                case _:
                    found.append(Item(text=each.text, owner=each.owner, due=each.due))
        return found

    def give_up(recorded: Recorded[Summarised | ReportRequested], failure: Failure) -> FailStage:
        return FailStage(
            session_id=recorded.event.session_id,
            stage="report",
            code="REPORTING_FAILED",
            detail=f"Reporting failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
        )

    return tuple(
        Handler(name=name, on=on, effect=report, give_up=give_up, backoff=PATIENCE)
        for name, on in (("report", Summarised), ("report_requested", ReportRequested))
    )


def _recipients(notify_email: str | None, job: Job | None) -> tuple[str, ...]:
    """Each address once, whoever named it."""
    subscribers = sorted(job.subscribers) if job else []
    first = [notify_email] if notify_email else []
    return tuple({each.lower(): each for each in (*subscribers, *first)}.values())


def _failed(event: Summarised | ReportRequested, code: str, detail: str, attempt: Attempt) -> FailStage:
    return FailStage(
        session_id=event.session_id, stage="report", code=code, detail=detail, attempts=attempt.number
    )
