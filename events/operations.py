"""What went wrong and what was done about it (dead letters, alerts), and what was erased."""

from typing import ClassVar
from uuid import UUID

from events.envelope import Event


class DeadLetterEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "operations"
    aggregate: ClassVar[str] = "dead_letter"
    dead_letter_id: UUID


class Recorded(DeadLetterEvent, frozen=True, kw_only=True):
    """A handler could not deal with an event: it never succeeds, or its attempts are used up."""

    stream: str
    position: int
    subject: str
    handler: str
    error: str
    attempts: int
    event_id: UUID | None = None
    """None when the event could not be decoded."""


class Redriven(DeadLetterEvent, frozen=True, kw_only=True):
    """Somebody wants the event to be handled again."""

    after: tuple[UUID, ...] = ()
    """Open dead letters of the same handler and aggregate with earlier events: those must be dealt with first."""


class Resolved(DeadLetterEvent, frozen=True, kw_only=True):
    """A redrive succeeded."""


class Discarded(DeadLetterEvent, frozen=True, kw_only=True):
    """Somebody decided that the event need not be handled."""

    reason: str = ""


class AlertEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "operations"
    aggregate: ClassVar[str] = "alert"
    alert_id: UUID


class Raised(AlertEvent, frozen=True, kw_only=True):
    """Something needs a person, such as a projection that cannot apply an event."""

    kind: str
    subject: str
    """What it is about, for example `projection jobsite`."""
    detail: str


class Cleared(AlertEvent, frozen=True, kw_only=True):
    """The cause is gone."""


class ErasureEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "operations"
    aggregate: ClassVar[str] = "erasure"
    erasure_id: UUID


class ErasureRecorded(ErasureEvent, frozen=True, kw_only=True):
    """Something that was deleted is gone from the log and from the blob store. Says nothing of what it was."""

    what: str
    """`jobsite.session`."""
    id: UUID
    position: str
    """Of its tombstone, which stays: `JOBSITE@1234`."""
    messages: int
    """Overwritten in the log, names that it held among them."""
    erased: dict[str, int]
    """Blobs erased, by the event that named them first."""
    kept: dict[str, int]
    """Blobs that something else names, too."""


OPERATIONS_EVENTS = (Recorded, Redriven, Resolved, Discarded, Raised, Cleared, ErasureRecorded)
