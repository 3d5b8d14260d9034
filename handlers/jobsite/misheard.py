"""A job or builder that was only added because a recording was misheard goes, once it is known which was meant."""

from typing import Any, NamedTuple
from uuid import UUID

from events.envelope import Recorded
from events.jobsite import SessionMoved, Understood
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.builder.decide import DeleteBuilder
from handlers.jobsite.job.decide import DeleteJob
from handlers.jobsite.reading import Reading, folded
from handlers.jobsite.session.state import Session
from infra.read_models import ReadModels

OF_JOB = ("jobsite.sessions", "jobsite.attachments", "jobsite.action_items")
Cause = SessionMoved | Understood


class _Left(NamedTuple):
    """What a recording was taken to be about, and is not."""

    job: UUID | None = None
    builder: UUID | None = None


def forgetters(*, reading: Reading, models: ReadModels) -> tuple[Handler, ...]:
    """The handlers of a session's `moved`, where another job or builder had been meant, and of `understood`, where
    the corrected or other transcript names another."""

    async def forget(recorded: Recorded[Cause], _: Attempt) -> list[Command]:
        left = await _left(recorded)
        gone: list[Command] = []
        if left.job and await _only_for(recorded, "job", left.job) and await _empty(recorded, left.job):
            gone.append(DeleteJob(job_id=left.job))
        if left.builder and await _only_for(recorded, "builder", left.builder):
            after = (recorded.stream, recorded.position)
            jobs = set(await models.where("jobsite.jobs", "builder_id", left.builder, after=after))
            if jobs <= {each.job_id for each in gone if isinstance(each, DeleteJob)}:
                gone.append(DeleteBuilder(builder_id=left.builder))
        return gone

    async def _left(recorded: Recorded[Cause]) -> _Left:
        event = recorded.event
        past = await reading.past("session", event.session_id)
        now = folded(past)
        before = folded([each for each in past if each.position < recorded.position])
        if not isinstance(now, Session) or not isinstance(before, Session) or before.understood is None:
            return _Left()
        heard = before.understood.builder_id
        if isinstance(event, Understood):
            other = not before.chosen and event.builder_id != heard
            left = not before.chosen
        else:
            job = await reading.job(event.job_id)
            other = event.misheard and job is not None and job.builder_id not in {None, heard}
            left = event.misheard
        back = before.job_id in {event.job_id, now.job_id}
        return _Left(before.job_id if left and not back else None, heard if other else None)

    async def _only_for(recorded: Recorded[Cause], kind: str, id: UUID) -> bool:
        """Whether it was added because of this recording, and nobody has touched it since."""
        past: list[Recorded[Any]] = await reading.past(kind, id)
        return len(past) == 1 and getattr(past[0].event, "session_id", None) == recorded.event.session_id

    async def _empty(recorded: Recorded[Cause], job: UUID) -> bool:
        """Whether nothing is there but what belongs to this recording, and follows it."""
        after, own = (recorded.stream, recorded.position), recorded.event.session_id
        for table in OF_JOB:
            there = await models.where(table, "job_id", job, after=after)
            column = "id" if table == "jobsite.sessions" else "session_id"
            if set(there) - set(await models.where(table, column, own, after=after)):
                return False
        return True

    return (
        Handler(name="forget_misheard", on=SessionMoved, effect=forget),
        Handler(name="forget_overtaken", on=Understood, effect=forget),
    )
