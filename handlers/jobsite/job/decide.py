"""Rules of a job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never, get_args
from uuid import UUID

from msgspec import UNSET, UnsetType

from events.jobsite import (
    JobAdded,
    JobClosed,
    JobDeleted,
    JobEvent,
    JobNameFreed,
    JobRenamed,
    JobReopened,
    JobSubscribed,
    JobUnsubscribed,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import Conflict, NotFound

MOST_SUBSCRIBERS = 100


class AddJob(Command, frozen=True, kw_only=True):
    job_id: UUID
    title: str
    builder_id: UUID | None = None
    session_id: UUID | None = None


class RenameJob(Command, frozen=True, kw_only=True):
    """Gives it another name, or another builder; what is not set stays as it is then."""

    job_id: UUID
    title: str | UnsetType = UNSET
    builder_id: UUID | UnsetType | None = UNSET


class SubscribeToJob(Command, frozen=True, kw_only=True):
    job_id: UUID
    email: str


class UnsubscribeFromJob(Command, frozen=True, kw_only=True):
    job_id: UUID
    email: str


class CloseJob(Command, frozen=True, kw_only=True):
    job_id: UUID


class ReopenJob(Command, frozen=True, kw_only=True):
    job_id: UUID


class DeleteJob(Command, frozen=True, kw_only=True):
    job_id: UUID


JobCommand = AddJob | RenameJob | SubscribeToJob | UnsubscribeFromJob | CloseJob | ReopenJob | DeleteJob


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Job:
    title: str
    builder_id: UUID | None
    subscribers: frozenset[str] = frozenset()
    """Lower case: nobody gets a report twice."""
    closed: bool = False


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Job | Deleted


def decide(command: JobCommand, state: State) -> Sequence[JobEvent]:
    match command, state:
        case AddJob() as c, Absent():
            return [as_told(JobAdded, c)]
        case (AddJob(), _) | (DeleteJob(), Deleted()):
            return []
        case _, Absent() | Deleted():
            raise NotFound("JOB_NOT_FOUND", f"There is no job {command.job_id}.")
        case _, Job():
            return _follow(command, state)
    assert_never(state)


def _follow(command: JobCommand, job: Job) -> Sequence[JobEvent]:
    match command:
        case AddJob():
            return []
        case RenameJob() as c:
            title = job.title if c.title is UNSET else c.title
            builder_id = job.builder_id if c.builder_id is UNSET else c.builder_id
            if (title, builder_id) == (job.title, job.builder_id):
                return []
            return [
                JobRenamed(
                    job_id=c.job_id, title=title, builder_id=builder_id, was=job.title, was_of=job.builder_id
                )
            ]
        case SubscribeToJob() as c:
            if c.email.lower() in job.subscribers:
                return []
            if len(job.subscribers) >= MOST_SUBSCRIBERS:
                raise Conflict(
                    "TOO_MANY_SUBSCRIBERS", f"A job can have {MOST_SUBSCRIBERS} subscribers at most."
                )
            return [as_told(JobSubscribed, c)]
        case UnsubscribeFromJob() as c:
            return [as_told(JobUnsubscribed, c)] if c.email.lower() in job.subscribers else []
        case CloseJob() as c:
            return [] if job.closed else [as_told(JobClosed, c)]
        case ReopenJob() as c:
            return [as_told(JobReopened, c)] if job.closed else []
        case DeleteJob() as c:
            freed = JobNameFreed(job_id=c.job_id, title=job.title, builder_id=job.builder_id)
            return [freed, JobDeleted(job_id=c.job_id, builder_id=job.builder_id)]
    assert_never(command)


def evolve(state: State, event: JobEvent) -> State:
    match event, state:
        case JobAdded() as e, _:
            return Job(e.title, e.builder_id)
        case JobDeleted(), _:
            return Deleted()
        case JobRenamed() as e, Job() as s:
            return replace(s, title=e.title, builder_id=e.builder_id)
        case JobSubscribed() as e, Job() as s:
            return replace(s, subscribers=s.subscribers | {e.email.lower()})
        case JobUnsubscribed() as e, Job() as s:
            return replace(s, subscribers=s.subscribers - {e.email.lower()})
        case ((JobClosed() | JobReopened()), Job() as s):
            return replace(s, closed=isinstance(event, JobClosed))
    return state


JOBS: Decider[JobCommand, State] = Decider(
    "jobsite", "job", get_args(JobCommand), Absent(), decide, evolve, creates=(AddJob,)
)
