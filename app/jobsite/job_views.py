"""What is answered about builders, jobs, action items and discrepancies."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.jobsite.views import ActionItemView, SessionSummary


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Done(_View, frozen=True, kw_only=True):
    """What was asked is in the log."""

    id: UUID
    position: str
    """Send it as `Headwater-After` to read what follows from it."""


class BuilderView(_View, frozen=True, kw_only=True):
    id: UUID
    name: str
    jobs: int
    """How many are not closed."""
    session_id: UUID | None
    """The recording that spoke of it first, when nobody wrote it down."""
    added_at: datetime
    updated_at: datetime


class JobView(_View, frozen=True, kw_only=True):
    id: UUID
    name: str
    builder_id: UUID | None
    builder: str | None
    closed: bool
    session_id: UUID | None
    """The recording that spoke of it first, when nobody wrote it down."""
    added_at: datetime
    updated_at: datetime


class Counts(_View, frozen=True, kw_only=True):
    sessions: int
    attachments: int
    open_items: int
    done_items: int
    overdue_items: int
    open_discrepancies: int


class RollingSummary(_View, frozen=True, kw_only=True):
    """What the newest summed up recordings of a job say, the newest first."""

    text: str
    sessions: tuple[UUID, ...]


class JobOverview(JobView, frozen=True, kw_only=True):
    """A job with what is going on."""

    subscribers: tuple[str, ...]
    counts: Counts
    last_activity_at: datetime | None
    items: tuple[ActionItemView, ...]
    """The open ones, those that are due first in front."""
    sessions: tuple[SessionSummary, ...]
    """The newest."""
    summary: RollingSummary | None
    as_of: str | None = None
    """The position that this was true at, when another than now was asked for."""


class HappeningView(_View, frozen=True, kw_only=True):
    """Something that has happened on a job."""

    position: str
    at: datetime
    event: str
    """As in the log: `jobsite.session.transcribed`."""
    actor: str
    id: UUID
    """Of what it has happened to: a session, an attachment, an action item, or the job itself."""
    about: str | None
    """What that is called, as long as it is there."""
