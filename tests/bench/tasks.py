"""The small context that is measured: tasks on a site are opened, noted upon and closed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from events.catalogue import Catalogue
from events.envelope import Event, Intent, Key, Recorded
from events.ids import new_id
from handlers.commands import Command, Decider
from handlers.refusals import NotFound
from projections.changes import Change, Table, patch, upsert
from projections.projection import Projection


class TaskEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "bench"
    aggregate: ClassVar[str] = "task"
    task_id: UUID


class Opened(TaskEvent, frozen=True, kw_only=True):
    title: str
    crew: int


class Noted(TaskEvent, frozen=True, kw_only=True):
    n: int
    text: str
    minutes: int


class Closed(TaskEvent, frozen=True, kw_only=True):
    notes: int


class Open(Command, frozen=True, kw_only=True):
    task_id: UUID
    title: str
    crew: int


class Note(Command, frozen=True, kw_only=True):
    task_id: UUID
    text: str
    minutes: int


class State(msgspec.Struct, frozen=True):
    opened: bool = False
    notes: int = 0


def decide(command: Command, state: State) -> Sequence[Event]:
    match command:
        case Open() if not state.opened:
            return [Opened(task_id=command.task_id, title=command.title, crew=command.crew)]
        case Note() if state.opened:
            return [Noted(task_id=command.task_id, n=state.notes, text=command.text, minutes=command.minutes)]
    raise NotFound("NO_SUCH_TASK", "There is no such task.")


def evolve(state: State, event: Event) -> State:
    return State(opened=True, notes=state.notes + isinstance(event, Noted))


TASK_ROWS = Table(
    "tasks",
    {
        "id": "uuid",
        "title": "text not null",
        "crew": "int not null",
        "status": "text not null",
        "notes": "int not null",
        "updated_at": "timestamptz not null",
    },
    key=("id",),
)
NOTE_ROWS = Table(
    "notes",
    {"task_id": "uuid", "n": "int", "text": "text not null", "minutes": "int not null"},
    key=("task_id", "n"),
)


def rows(recorded: Recorded[Any], _: Any) -> Iterator[Change]:
    """One or two changes an event."""
    match recorded.event:
        case Opened() as e:
            yield upsert(
                TASK_ROWS,
                id=e.task_id,
                title=e.title,
                crew=e.crew,
                status="open",
                notes=0,
                updated_at=recorded.at,
            )
        case Noted() as e:
            yield upsert(NOTE_ROWS, task_id=e.task_id, n=e.n, text=e.text, minutes=e.minutes)
            yield patch(TASK_ROWS, id=e.task_id, notes=e.n + 1, updated_at=recorded.at)
        case Closed() as e:
            yield patch(TASK_ROWS, id=e.task_id, status="closed", updated_at=recorded.at)


TITLE = "Hang the drywall in the upstairs hall"
TEXT = "Two more sheets than ordered, one cracked"
MINUTES = (20, 35, 50, 65)

CATALOGUE = Catalogue((Opened, Noted, Closed))
TASKS: Decider[Any, State] = Decider("bench", "task", (Open, Note), State(), decide, evolve)
PROJECTION = Projection("bench", 1, "BENCH", (TASK_ROWS, NOTE_ROWS), rows)


def key(task: UUID) -> Key:
    return Key("bench", "task", task)


def intent() -> Intent:
    """Somebody's wish, now."""
    command_id = new_id()
    return Intent(command_id=command_id, actor="user:bench", at=datetime.now(UTC), correlation_id=command_id)


def first_and_following(task: UUID) -> Iterator[Command]:
    """The commands of one task's life: it is opened, then four times noted upon."""
    yield Open(task_id=task, title=TITLE, crew=3)
    for minutes in MINUTES:
        yield Note(task_id=task, text=TEXT, minutes=minutes)
