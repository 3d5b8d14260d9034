"""Rules of dead letters, alerts and erasures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never
from uuid import UUID

from msgspec import structs

from events.operations import (
    AlertEvent,
    Cleared,
    DeadLetterEvent,
    Discarded,
    ErasureEvent,
    ErasureRecorded,
    Raised,
    Recorded,
    Redriven,
    Resolved,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import Conflict, NotFound


class RecordDeadLetter(Command, frozen=True, kw_only=True):
    dead_letter_id: UUID
    stream: str
    position: int
    subject: str
    handler: str
    error: str
    attempts: int
    event_id: UUID | None = None


class Redrive(Command, frozen=True, kw_only=True):
    dead_letter_id: UUID
    after: tuple[UUID, ...] = ()


class Resolve(Command, frozen=True, kw_only=True):
    dead_letter_id: UUID


class Reopen(Command, frozen=True, kw_only=True):
    """The redrive failed too."""

    dead_letter_id: UUID
    error: str


class Discard(Command, frozen=True, kw_only=True):
    dead_letter_id: UUID
    reason: str = ""


DeadLetterCommand = RecordDeadLetter | Redrive | Resolve | Reopen | Discard


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Letter:
    """A dead letter: open until it is redriven, then redriving, then resolved or open again; or discarded for good."""

    status: Literal["open", "redriving", "resolved", "discarded"]
    failure: Recorded

    @property
    def closed(self) -> bool:
        return self.status in {"resolved", "discarded"}


LetterState = Absent | Letter


def decide(command: DeadLetterCommand, state: LetterState) -> Sequence[DeadLetterEvent]:
    match command, state:
        case RecordDeadLetter(), Letter(status="open" | "discarded"):
            return []
        case RecordDeadLetter() as c, _:
            return [as_told(Recorded, c)]
        case Resolve() as c, Letter(status="redriving"):
            return [Resolved(dead_letter_id=c.dead_letter_id)]
        case Reopen() as c, Letter(status="redriving", failure=before):
            return [structs.replace(before, error=c.error, attempts=before.attempts + 1)]
        case ((Resolve() | Reopen()), _):
            return []  # late news
        case (Redrive() | Discard()) as c, Absent():
            raise NotFound("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {c.dead_letter_id}.")
        case (Redrive(), Letter(status="redriving")) | (Discard(), Letter(status="discarded")):
            return []
        case ((Redrive() | Discard()), Letter(closed=True)):
            raise Conflict("DEAD_LETTER_CLOSED", "This dead letter is already resolved or discarded.")
        case Redrive() as c, Letter():
            return [Redriven(dead_letter_id=c.dead_letter_id, after=c.after)]
        case Discard() as c, Letter():
            return [Discarded(dead_letter_id=c.dead_letter_id, reason=c.reason)]
    assert_never(command)


def evolve(state: LetterState, event: DeadLetterEvent) -> LetterState:
    match event, state:
        case Recorded(), _:
            return Letter("open", event)
        case Redriven(), Letter():
            return replace(state, status="redriving")
        case Resolved(), Letter():
            return replace(state, status="resolved")
        case Discarded(), Letter():
            return replace(state, status="discarded")
    return state


DEAD_LETTERS: Decider[DeadLetterCommand, LetterState] = Decider(
    "operations",
    "dead_letter",
    (RecordDeadLetter, Redrive, Resolve, Reopen, Discard),
    Absent(),
    decide,
    evolve,
)


class RaiseAlert(Command, frozen=True, kw_only=True):
    alert_id: UUID
    kind: str
    subject: str
    detail: str


class ClearAlert(Command, frozen=True, kw_only=True):
    alert_id: UUID


AlertCommand = RaiseAlert | ClearAlert


def decide_alert(command: AlertCommand, raised: bool) -> Sequence[AlertEvent]:
    match command:
        case RaiseAlert() as c:
            return [] if raised else [as_told(Raised, c)]
        case ClearAlert() as c:
            return [Cleared(alert_id=c.alert_id)] if raised else []
    assert_never(command)


def evolve_alert(_: bool, event: AlertEvent) -> bool:
    return isinstance(event, Raised)


ALERTS: Decider[AlertCommand, bool] = Decider(
    "operations", "alert", (RaiseAlert, ClearAlert), False, decide_alert, evolve_alert
)


class RecordErasure(Command, frozen=True, kw_only=True):
    erasure_id: UUID
    what: str
    id: UUID
    position: str
    messages: int
    erased: dict[str, int]
    kept: dict[str, int]


def decide_erasure(command: RecordErasure, done: bool) -> Sequence[ErasureEvent]:
    """The first record counts: who finds nothing left to erase was preceded by somebody."""
    return [] if done else [as_told(ErasureRecorded, command)]


ERASURES: Decider[RecordErasure, bool] = Decider(
    "operations", "erasure", (RecordErasure,), False, decide_erasure, lambda _, __: True
)
