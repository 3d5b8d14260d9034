"""Rules of a question and its answer: the first one counts, whoever makes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never, get_args
from uuid import UUID

from events.chat import (
    AnswerAnswered,
    AnswerAsked,
    AnswerDeleted,
    AnswerEvent,
    AnswerFailed,
    AnswerScope,
    Reference,
)
from events.chat.answer import Method
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class Ask(Command, frozen=True, kw_only=True):
    answer_id: UUID
    question: str
    scope: AnswerScope
    contexts: tuple[str, ...]
    model: str | None = None
    follows: UUID | None = None


class RecordAnswer(Command, frozen=True, kw_only=True):
    answer_id: UUID
    blob: str
    size: int
    method: Method
    query: str
    references: tuple[Reference, ...]
    positions: Mapping[str, int]
    closeness: float
    supported: bool
    embedder: str
    model: str | None = None
    digest: str | None = None
    prompt_hash: str | None = None
    note: str | None = None
    seconds: float = 0.0


class FailAnswer(Command, frozen=True, kw_only=True):
    answer_id: UUID
    code: str
    detail: str


class DeleteAnswer(Command, frozen=True, kw_only=True):
    answer_id: UUID
    source_id: UUID | None = None


AnswerCommand = Ask | RecordAnswer | FailAnswer | DeleteAnswer


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Open:
    """Asked, and not answered yet."""


@dataclass(frozen=True)
class Ended:
    """Answered, or failed."""


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Open | Ended | Deleted


def decide(command: AnswerCommand, state: State) -> Sequence[AnswerEvent]:
    match command, state:
        case Ask() as c, Absent():
            return [as_told(AnswerAsked, c)]
        case RecordAnswer() as c, Open():
            return [as_told(AnswerAnswered, c)]
        case FailAnswer() as c, Open():
            return [as_told(AnswerFailed, c)]
        case DeleteAnswer() as c, Open() | Ended():
            return [as_told(AnswerDeleted, c)]
        case DeleteAnswer() as c, Absent():
            raise NotFound("ANSWER_NOT_FOUND", f"There is no answer {c.answer_id}.")
        case ((Ask() | RecordAnswer() | FailAnswer() | DeleteAnswer()), _):
            return []  # asked again, or late news
    assert_never(command)


def evolve(state: State, event: AnswerEvent) -> State:
    match event:
        case AnswerAsked():
            return Open()
        case AnswerAnswered() | AnswerFailed():
            return Ended()
        case AnswerDeleted():
            return Deleted()
    return state


ANSWERS: Decider[AnswerCommand, State] = Decider(
    "chat", "answer", get_args(AnswerCommand), Absent(), decide, evolve, creates=(Ask,)
)
