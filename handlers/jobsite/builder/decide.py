"""Rules of a builder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never, get_args
from uuid import UUID

from events.jobsite import (
    BuilderAdded,
    BuilderDeleted,
    BuilderEvent,
    BuilderNameFreed,
    BuilderRenamed,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class AddBuilder(Command, frozen=True, kw_only=True):
    builder_id: UUID
    title: str
    session_id: UUID | None = None


class RenameBuilder(Command, frozen=True, kw_only=True):
    builder_id: UUID
    title: str


class DeleteBuilder(Command, frozen=True, kw_only=True):
    """Whoever asks has seen to it that no job is left."""

    builder_id: UUID


BuilderCommand = AddBuilder | RenameBuilder | DeleteBuilder


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Builder:
    title: str


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Builder | Deleted


def decide(command: BuilderCommand, state: State) -> Sequence[BuilderEvent]:
    match command, state:
        case AddBuilder() as c, Absent():
            return [as_told(BuilderAdded, c)]
        case (AddBuilder(), _) | (DeleteBuilder(), Deleted()):
            return []
        case RenameBuilder() as c, Builder() as s:
            return [] if c.title == s.title else [as_told(BuilderRenamed, c, was=s.title)]
        case DeleteBuilder() as c, Builder() as s:
            freed = BuilderNameFreed(builder_id=c.builder_id, title=s.title)
            return [freed, BuilderDeleted(builder_id=c.builder_id)]
        case ((RenameBuilder() | DeleteBuilder() as c), _):
            raise NotFound("BUILDER_NOT_FOUND", f"There is no builder {c.builder_id}.")
    assert_never(command)


def evolve(state: State, event: BuilderEvent) -> State:
    match event:
        case BuilderAdded() | BuilderRenamed() as e:
            return Builder(e.title)
        case BuilderDeleted():
            return Deleted()
    return state


BUILDERS: Decider[BuilderCommand, State] = Decider(
    "jobsite", "builder", get_args(BuilderCommand), Absent(), decide, evolve, creates=(AddBuilder,)
)
