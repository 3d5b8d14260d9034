"""What a handler is: the event it waits for, the effect, and how long and how often to try."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from events.envelope import Event, Recorded
from handlers.commands import Command
from infra.telemetry.redaction import legible

PATIENCE = 3.0
"""Seconds before the second attempt of an effect that needs a model server: six attempts outlast its restart."""

Answer = Command | Sequence[Command] | None
"""What an effect returns: the commands that tell the log what came of it."""

Announce = Callable[[Recorded[Any]], Command]


class Poison(Exception):
    """This event will never succeed: no more attempts, straight to the dead letters."""


class Retry(Exception):
    """Not now: try again after `delay` seconds."""

    def __init__(self, reason: str, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


class NotYet(Exception):
    """Its time has not come: ask again in `delay` seconds, which is no attempt."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"not before {delay:.1f} s from now")
        self.delay = delay


@dataclass(frozen=True)
class Attempt:
    """Which try this is, and a way to tell how far it has come (0.0 to 1.0)."""

    number: int
    of: int
    report: Callable[[float], None] = lambda _: None


@dataclass(frozen=True)
class Failure:
    """An event that a handler could not deal with, as it becomes a dead letter."""

    stream: str
    position: int
    subject: str
    event_id: UUID | None
    handler: str
    error: str
    attempts: int
    correlation_id: UUID | None = None


@dataclass(frozen=True)
class Handler:
    """One fact, one effect, one command back.

    `name` is the durable consumer's name: it is stored state, so it never changes. `timeout` is in seconds for one
    attempt. `give_up` makes the command that tells the aggregate that no attempt is left.
    """

    name: str
    on: type[Event]
    effect: Callable[[Recorded[Any], Attempt], Awaitable[Answer]]
    timeout: float = 60.0
    concurrency: int = 4
    attempts: int = 6
    backoff: float = 1.0
    longest: float = 60.0
    ordered: bool = False
    """One at a time in the whole system; a failing one holds up those behind it until its attempts are used up."""
    give_up: Callable[[Recorded[Any], Failure], Command] | None = None
    announce: Announce | None = None
    """For effects that cannot be taken back: makes the command that says, before each run, that the effect begins.
    Where it changes nothing, the effect is not wanted any more. May raise `NotYet`."""

    def __post_init__(self) -> None:
        if not 0 < self.concurrency <= 256 or self.attempts < 1 or self.timeout <= 0:
            raise ValueError(f"handler {self.name}: concurrency, attempts and timeout must be positive")

    def delay(self, attempt: int) -> float:
        """Seconds until the attempt after this one: doubled each time, capped, with jitter."""
        return float(min(self.longest, self.backoff * 2 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0))


def cause_of(failure: BaseException) -> str:
    """What went wrong, as dead letters and users are told: without secrets, paths and what no database keeps."""
    plain = failure.strerror if isinstance(failure, OSError) and failure.filename else None
    return legible(f"{type(failure).__name__}: {plain or failure}").replace("\0", "")


def commands_of(answer: Answer) -> Sequence[Command]:
    """An effect's answer as a list."""
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, Command) else answer
