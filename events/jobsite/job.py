"""What happens to a job: what is built, where, and who gets its reports."""

from typing import ClassVar
from uuid import UUID

import msgspec

from events.envelope import Claim, Event
from events.jobsite.names import normalised


def job_claim(builder_id: UUID | None, name: str) -> Claim:
    """Two jobs of one builder are never called the same."""
    return Claim("job", f"{builder_id or ''}/{normalised(name)}")


class JobEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "job"
    job_id: UUID


class JobAdded(JobEvent, frozen=True, kw_only=True):
    title: str = msgspec.field(name="name")
    """What it is called."""
    builder_id: UUID | None = None
    session_id: UUID | None = None
    """The recording that spoke of it first, when nobody wrote it down."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (job_claim(self.builder_id, self.title),)


class JobRenamed(JobEvent, frozen=True, kw_only=True):
    """It has another name, or is another builder's."""

    title: str = msgspec.field(name="name")
    builder_id: UUID | None = None
    was: str
    was_of: UUID | None = None
    """Whose it was."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (job_claim(self.builder_id, self.title),)

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (job_claim(self.was_of, self.was),)


class JobSubscribed(JobEvent, frozen=True, kw_only=True):
    """The address gets the job's reports."""

    email: str


class JobUnsubscribed(JobEvent, frozen=True, kw_only=True):
    email: str


class JobClosed(JobEvent, frozen=True, kw_only=True):
    """The work is done; recordings still find it."""


class JobReopened(JobEvent, frozen=True, kw_only=True):
    pass


class JobNameFreed(JobEvent, frozen=True, kw_only=True):
    """The name is free again: what goes before the tombstone, which tells no names."""

    title: str = msgspec.field(name="name")
    builder_id: UUID | None = None

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (job_claim(self.builder_id, self.title),)


class JobDeleted(JobEvent, frozen=True, kw_only=True):
    """The job is gone; its sessions, attachments and action items go with it."""

    builder_id: UUID | None = None


JOB_EVENTS = (
    JobAdded,
    JobRenamed,
    JobSubscribed,
    JobUnsubscribed,
    JobClosed,
    JobReopened,
    JobNameFreed,
    JobDeleted,
)
