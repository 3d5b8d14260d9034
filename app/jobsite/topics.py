"""What can be followed of recordings as it happens."""

from collections.abc import Iterable
from typing import Any

from app.live.topics import Topic
from events.envelope import Recorded
from events.jobsite import (
    ActionItemEvent,
    AttachmentEvent,
    BuilderEvent,
    JobAdded,
    JobDeleted,
    JobEvent,
    JobRenamed,
    SessionEvent,
    SessionMoved,
)


def _session(recorded: Recorded[Any]) -> Iterable[str]:
    return (str(recorded.event.session_id),)


def _job(recorded: Recorded[Any]) -> Iterable[str]:
    """The job that an event concerns; of one that moves something to another job, both."""
    event = recorded.event
    jobs = (event.job_id, event.was if isinstance(event, SessionMoved) else None)
    return dict.fromkeys(str(each) for each in jobs if each)


def _builder(recorded: Recorded[Any]) -> Iterable[str]:
    """The builder itself, or the one whose job was added, renamed or deleted."""
    event = recorded.event
    builders = (event.builder_id, event.was_of if isinstance(event, JobRenamed) else None)
    return dict.fromkeys(str(each) for each in builders if each)


SESSIONS = Topic(
    name="sessions",
    stream="JOBSITE",
    scope="jobsite:read",
    events=(SessionEvent,),
    filters=lambda id: (f"jobsite.session.{id}.>",),
    of=_session,
    about="Everything that happens to one recording, and how far its stages are.",
)

JOBS = Topic(
    name="jobs",
    stream="JOBSITE",
    scope="jobsite:read",
    events=(JobEvent, SessionEvent, AttachmentEvent, ActionItemEvent),
    filters=lambda _: (">",),  # subjects name sessions, not jobs
    of=_job,
    about="Everything about a job: itself, its recordings, attachments and action items, as far as they name it.",
)

BUILDERS = Topic(
    name="builders",
    stream="JOBSITE",
    scope="jobsite:read",
    events=(BuilderEvent, JobAdded, JobRenamed, JobDeleted),
    filters=lambda id: (f"jobsite.builder.{id}.>", "jobsite.job.>"),
    of=_builder,
    about="What happens to a builder, and which jobs are added for it, renamed or deleted.",
)

ATTACHMENTS = Topic(
    name="attachments",
    stream="JOBSITE",
    scope="jobsite:read",
    events=(AttachmentEvent,),
    filters=lambda id: (f"jobsite.attachment.{id}.>",),
    of=lambda recorded: (str(recorded.event.attachment_id),),
    about="Everything that happens to one attachment, and how far its stages are.",
)

TOPICS = (SESSIONS, ATTACHMENTS, JOBS, BUILDERS)
