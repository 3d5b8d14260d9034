"""Rules of dead letters and alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never
from uuid import UUID

from events.operations import (
    AlertEvent,
    Cleared,
    DeadLetterEvent,
    Discarded,
    Raised,
    Recorded,
    Redriven,
    Resolved,
)
from handlers.commands import Command, Decider
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


class Discard(Command, frozen=True, kw_only=True):
    dead_letter_id: UUID
    reason: str = ""


DeadLetterCommand = RecordDeadLetter | Redrive | Resolve | Discard


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Letter:
    """A dead letter: `open` until it is redriven, then `redriving`, and `closed` for good or until it fails again."""

    status: Literal["open", "redriving", "closed"]


LetterState = Absent | Letter


def decide(command: DeadLetterCommand, state: LetterState) -> Sequence[DeadLetterEvent]:
    match command, state:
        case RecordDeadLetter(), Letter(status="open"):
            return []
        case RecordDeadLetter() as c, _:
            return [
                Recorded(
                    dead_letter_id=c.dead_letter_id,
                    stream=c.stream,
                    position=c.position,
                    subject=c.subject,
                    handler=c.handler,
                    error=c.error,
                    attempts=c.attempts,
                    event_id=c.event_id,
                )
            ]
        case Resolve() as c, Letter(status="redriving"):
            return [Resolved(dead_letter_id=c.dead_letter_id)]
        case Resolve(), _:
            return []
        case (Redrive() | Discard()) as c, Absent():
            raise NotFound("DEAD_LETTER_NOT_FOUND", f"There is no dead letter {c.dead_letter_id}.")
        case ((Redrive() | Discard()), Letter(status="closed")):
            raise Conflict("DEAD_LETTER_CLOSED", "This dead letter is already resolved or discarded.")
        case Redrive(), Letter(status="redriving"):
            return []
        case Redrive() as c, Letter():
            return [Redriven(dead_letter_id=c.dead_letter_id, after=c.after)]
        case Discard() as c, Letter():
            return [Discarded(dead_letter_id=c.dead_letter_id, reason=c.reason)]
    assert_never(command)


def evolve(state: LetterState, event: DeadLetterEvent) -> LetterState:
    match event:
        case Recorded():
            return Letter("open")
        case Redriven():
            return Letter("redriving")
        case Resolved() | Discarded():
            return Letter("closed")
    return state


DEAD_LETTERS: Decider[DeadLetterCommand, LetterState] = Decider(
    "operations", "dead_letter", (RecordDeadLetter, Redrive, Resolve, Discard), Absent(), decide, evolve
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
            return (
                []
                if raised
                else [Raised(alert_id=c.alert_id, kind=c.kind, subject=c.subject, detail=c.detail)]
            )
        case ClearAlert() as c:
            return [Cleared(alert_id=c.alert_id)] if raised else []
    assert_never(command)


def evolve_alert(_: bool, event: AlertEvent) -> bool:
    return isinstance(event, Raised)


ALERTS: Decider[AlertCommand, bool] = Decider(
    "operations", "alert", (RaiseAlert, ClearAlert), False, decide_alert, evolve_alert
)
