"""Rules of the words of a reply that was made from sources: the first ones count, and once gone they stay away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never, get_args
from uuid import UUID

from events.chat import ReplyDeleted, ReplyEvent, ReplyWritten, SourceUsed
from handlers.commands import Command, Decider, as_told


class WriteReply(Command, frozen=True, kw_only=True):
    reply_id: UUID
    project_id: UUID
    blob: str
    size: int
    sources: tuple[SourceUsed, ...]


class DeleteReply(Command, frozen=True, kw_only=True):
    reply_id: UUID
    source_id: UUID | None = None


ReplyCommand = WriteReply | DeleteReply


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Written:
    project_id: UUID


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Written | Deleted


def decide(command: ReplyCommand, state: State) -> Sequence[ReplyEvent]:
    match command, state:
        case WriteReply() as c, Absent():
            return [as_told(ReplyWritten, c)]
        case DeleteReply() as c, Written(project_id=project_id):
            return [as_told(ReplyDeleted, c, project_id=project_id)]
        case ((WriteReply() | DeleteReply()), _):
            return []  # written again, or late news
    assert_never(command)


def evolve(state: State, event: ReplyEvent) -> State:
    match event:
        case ReplyWritten(project_id=project_id):
            return Written(project_id)
        case ReplyDeleted():
            return Deleted()
    return state


REPLIES: Decider[ReplyCommand, State] = Decider(
    "chat", "reply", get_args(ReplyCommand), Absent(), decide, evolve
)
