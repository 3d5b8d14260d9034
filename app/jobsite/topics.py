"""What can be followed of recordings as it happens."""

from collections.abc import Iterable
from typing import Any

from app.live.topics import Topic
from events.envelope import Recorded
from events.jobsite import AudioUploaded, Indexed, SessionEvent


def _session(recorded: Recorded[Any]) -> Iterable[str]:
    return (str(recorded.event.session_id),)


def _job(recorded: Recorded[Any]) -> Iterable[str]:
    job_id = recorded.event.job_id
    return (str(job_id),) if job_id else ()


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
    events=(AudioUploaded, Indexed),
    filters=lambda _: (">",),  # subjects name sessions, not jobs
    of=_job,
    about="Recordings of a job that were uploaded or can now be searched: the events that name their job themselves.",
)

TOPICS = (SESSIONS, JOBS)
