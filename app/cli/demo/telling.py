"""What became of the recording: what was said, what follows from it, what contradicts it, and answers that cite it."""

import asyncio
import shutil
import textwrap
from collections.abc import Iterable
from uuid import uuid5

from app.chat.answer_views import AnswerView
from app.cli.demo.uploading import Sent
from app.client import Headwater
from app.jobsite.attachment_views import AttachmentView
from app.jobsite.job_views import JobView
from app.jobsite.views import SessionView, StageView
from app.search.views import ScopeBody, SearchAnswer
from app.settings import Settings
from events.jobsite import Place
from infra.samples import PLAN, SITE_NOTE

SOUGHT = "water behind the wall"
QUESTION = "How many sheets of drywall are needed?"
"""The recording and the plan answer it differently."""
LATE = 10.0
"""Seconds in which a plan that was read late is compared with the recording."""


async def tell(headwater: Headwater, sent: Sent) -> None:
    """Everything that is known, in the order in which it became known; a stage that failed costs no other its part."""
    plan = await headwater.attachment(sent.attachment_id)
    session = await _compared(headwater, sent, plan)
    _failures(SITE_NOTE.name, f"/v1/sessions/{session.id}", session.stages)
    _failures(PLAN.name, f"/v1/attachments/{plan.id}", plan.stages)
    _transcript(session)
    await _understood(headwater, session)
    _summary(session)
    _items(session)
    _discrepancies(session)
    scope = ScopeBody(session_id=session.id)
    _found(await headwater.search(SOUGHT, scope=scope, limit=1))
    # The same question is the same answer the next time, unless the recording is another one.
    _answer(await headwater.answers.ask(QUESTION, scope=scope, key=uuid5(session.id, QUESTION).hex))


async def _compared(headwater: Headwater, sent: Sent, plan: AttachmentView) -> SessionView:
    """The session, once what the plan says differently is there; not for long, since it may say nothing."""
    session = await headwater.session(sent.session_id)
    for _ in range(int(LATE / 0.2)):
        if session.discrepancies or (session.status, plan.status) != ("completed", "completed"):
            break
        await asyncio.sleep(0.2)
        session = await headwater.session(sent.session_id)
    return session


def _failures(name: str, path: str, stages: Iterable[StageView]) -> None:
    for stage in stages:
        if stage.state == "failed" and stage.error:
            _heading(f"{stage.stage} of {name} failed")
            _text(stage.error.detail)
            _text(f"POST {path}/retry tries it again; `headwater doctor` may say what is wrong.")


def _transcript(session: SessionView) -> None:
    if session.transcript:
        _heading(f"transcript ({session.seconds or 0:.0f} s, {session.transcript.model})")
        for segment in session.transcript.segments:
            _text(segment.text, f"{_clock(segment.start):>6}  ")


async def _understood(headwater: Headwater, session: SessionView) -> None:
    if session.understood_by and session.job_id:
        job = await headwater.transport.get(f"/v1/jobs/{session.job_id}", JobView)
        _heading(f"understood ({session.understood_by})")
        _text(f"job {job.name}, builder {job.builder or 'not known'}")


def _summary(session: SessionView) -> None:
    if session.summary:
        _heading(f"summary ({session.summary.method})")
        _text(session.summary.text)
        for note in session.summary.notes:
            _text(note, "for the office: ")


def _items(session: SessionView) -> None:
    if session.action_items:
        _heading("action items")
    for item in sorted(session.action_items, key=lambda each: each.place.start_char if each.place else 0):
        who = item.owner or "nobody yet"
        due = f", due {item.due:%A} {item.due}" if item.due else ""
        _text(f"{item.text} ({who}{due}; {item.method})", "- ")


def _discrepancies(session: SessionView) -> None:
    for found in session.discrepancies:
        _heading(f"discrepancy ({found.method})")
        _text(found.detail)
        for quote in (found.said, found.against):
            _text(f"{quote.title}, {_where(quote.place)}: “{quote.text}”", "- ")


def _found(answer: SearchAnswer) -> None:
    _heading(f"search: {SOUGHT} ({answer.method})")
    for hit in answer.hits:
        _text(f"“{hit.moment.text if hit.moment else textwrap.shorten(hit.text, 300, placeholder=' …')}”")
        at = f"at {_clock(hit.moment.start)}" if hit.moment else f"page {hit.page}"
        _text(f"{hit.title}, {at}, score {hit.score:.2f}")
        _link(hit.url)


def _answer(answer: AnswerView) -> None:
    _heading(f"question: {QUESTION} ({answer.method or answer.status})")
    _text(answer.answer or (answer.error.detail if answer.error else "no answer yet"))
    for each in answer.citations:
        at = f"at {_clock(each.moment.start)}" if each.moment else f"page {each.page}"
        _text(f"{each.title}, {at}: “{each.quote}”", f"[{each.number}] ")
        _link(each.url)


def _where(place: Place) -> str:
    return f"at {_clock(place.start)}" if place.start is not None else f"page {place.page}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _heading(text: str) -> None:
    print(f"\n{text}")


def _text(text: str, before: str = "") -> None:
    """Folded to the terminal, further lines below the first word."""
    columns = min(shutil.get_terminal_size((100, 24)).columns, 110)
    print(
        textwrap.fill(text, columns, initial_indent=f"  {before}", subsequent_indent=" " * (2 + len(before)))
    )


def _link(url: str) -> None:
    """Never folded, so that it can be clicked."""
    print(f"    {url}")


def what_next(url: str, settings: Settings, key: str) -> None:
    """Where everything is."""
    home = "" if str(settings.home) == ".headwater" else f"HEADWATER_HOME={settings.home} "
    print(
        f"""
Headwater serves on  {url}
The API by example   {url}/docs
API key              {key}   (kept in {settings.home / "api-key"})
Logs                 {settings.home / "logs"}

Three things to try next, in another terminal:
  {home}.venv/bin/headwater upload --wait YOUR.m4a
  curl -H "X-Api-Key: $(cat {settings.home / "api-key"})" "{url}/v1/search?q=drywall"
  {home}.venv/bin/headwater rebuild jobsite --dry-run

Ctrl-C stops everything.""",
        flush=True,
    )
