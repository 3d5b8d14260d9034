"""What is made of what was said: it is understood, summed up, found, reported."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from events.jobsite.session import Result, SessionEvent
from events.jobsite.stages import Status


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A builder or job that is nearly called what was said: people decide."""

    kind: Literal["builder", "job"]
    said: str
    id: UUID
    name: str
    similarity: float
    """Of trigrams, 0 to 1."""


class Understood(Result, frozen=True, kw_only=True):
    """The spoken commands are told apart from the note itself; whose job it is."""

    transcript: str
    """Blob key of the transcript that it was made of."""
    corrections: int
    """How many of its corrections were known."""
    blob: str
    """Blob key of the `Understanding` (`infra/understanding`), JSON."""
    size: int
    method: str
    """What found the commands: `grammar`, or `model:<name>`."""
    builder_id: UUID | None = None
    recorded_at: datetime | None = None
    suggestions: tuple[Suggestion, ...] = ()
    commands: int = 0
    action_items: tuple[UUID, ...] = ()
    """Those that were asked for in the recording."""
    withdrawn: tuple[UUID, ...] = ()
    """Those that were, as it was understood before, and are no more."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class Summarised(Result, frozen=True, kw_only=True):
    """The recording is summed up; what has to be done, and what contradicts what was known."""

    transcript: str
    corrections: int
    blob: str
    """Blob key of the `Summary` (`infra/understanding`), JSON."""
    size: int
    method: str
    """`extractive:<embedder>`, or `model:<name>`."""
    action_items: tuple[UUID, ...] = ()
    """Those that the summary found beyond the spoken ones."""
    withdrawn: tuple[UUID, ...] = ()
    discrepancies: tuple[UUID, ...] = ()
    title: str | None = None
    """Of the session, as its `notify_email` and `recorded_at` are: what a report needs."""
    notify_email: str | None = None
    recorded_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class Indexed(Result, frozen=True, kw_only=True):
    """The transcript can be searched."""

    blob: str
    """Blob key of the chunks with their vectors."""
    size: int
    transcript: str
    """Blob key of the transcript they were made of."""
    corrections: int = 0
    index: str
    """The embedder and chunking that made them; only vectors of one index can be compared."""
    dimensions: int
    chunks: int
    recorded_at: datetime | None = None
    status: Status = "completed"

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class ReportRequested(SessionEvent, frozen=True, kw_only=True):
    """Somebody wants the report made anew, of what is known now, and sent to everybody, also to those who have one."""

    request_id: UUID
    summary: str
    """Blob key of the summary that it will tell."""


class Reported(Result, frozen=True, kw_only=True):
    """The report for the office is written."""

    transcript: str
    corrections: int
    summary: str
    """Blob key of the summary that it tells."""
    title: str
    subject: str
    html: str
    """Blob key."""
    text: str
    """Blob key."""
    recipients: tuple[str, ...] = ()
    """Mail addresses."""
    action_items: int = 0
    discrepancies: int = 0
    edition: int = 1
    """Later ones follow corrections: they replace what can be read, and need not be mailed to everybody again."""
    request_id: UUID | None = None
    """The request that this answers: then it is mailed to everybody again."""

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.html, self.text)


class Notified(Result, frozen=True, kw_only=True):
    """Whoever must know of the report has been told, or will be: it is in the hands of `notifications`."""

    edition: int
    notification_id: UUID | None = None
    status: Status = "completed"
