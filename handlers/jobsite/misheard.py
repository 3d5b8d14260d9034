"""A job or builder that was only added because a recording was misheard goes, once people say which was meant."""

from typing import Any
from uuid import UUID

from events.envelope import Recorded
from events.jobsite import SessionMoved
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.builder.decide import DeleteBuilder
from handlers.jobsite.job.decide import DeleteJob
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.state import Session
from infra.read_models import ReadModels

OF_JOB = ("jobsite.sessions", "jobsite.attachments", "jobsite.action_items")


def forgetter(*, reading: Reading, models: ReadModels) -> Handler:
    """The handler of a session's `moved`, where another job or builder had been meant."""

    async def forget(recorded: Recorded[SessionMoved], _: Attempt) -> list[Command]:
        event = recorded.event
        session = await reading.session(event.session_id)
        if not event.misheard or not isinstance(session, Session) or session.understood is None:
            return []
        job, builder = event.was, session.understood.builder_id
        gone: list[Command] = []
        if (
            job
            and job != event.job_id
            and await _only_for(recorded, "job", job)
            and await _empty(recorded, job)
        ):
            gone.append(DeleteJob(job_id=job))
        now = await reading.job(event.job_id)
        another = now is not None and now.builder_id not in {None, builder}
        if builder and another and await _only_for(recorded, "builder", builder):
            after = (recorded.stream, recorded.position)
            jobs = set(await models.where("jobsite.jobs", "builder_id", builder, after=after))
            if jobs <= {each.job_id for each in gone if isinstance(each, DeleteJob)}:
                gone.append(DeleteBuilder(builder_id=builder))
        return gone

    async def _only_for(recorded: Recorded[SessionMoved], kind: str, id: UUID) -> bool:
        """Whether it was added because of this recording, and nobody has touched it since."""
        past: list[Recorded[Any]] = await reading.past(kind, id)
        return len(past) == 1 and getattr(past[0].event, "session_id", None) == recorded.event.session_id

    async def _empty(recorded: Recorded[SessionMoved], job: UUID) -> bool:
        """Whether nothing is there but what belongs to this recording, and follows it."""
        after, own = (recorded.stream, recorded.position), recorded.event.session_id
        for table in OF_JOB:
            there = await models.where(table, "job_id", job, after=after)
            column = "id" if table == "jobsite.sessions" else "session_id"
            if set(there) - set(await models.where(table, column, own, after=after)):
                return False
        return True

    return Handler(name="forget_misheard", on=SessionMoved, effect=forget)
