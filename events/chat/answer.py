"""What happens to a question over recordings and documents: it is asked, and answered with what it cites."""

from collections.abc import Mapping
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from events.envelope import Event

Method = Literal["generated", "extractive", "none"]


class AnswerScope(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where to look; everything that is given must hold."""

    job_id: UUID | None = None
    session_id: UUID | None = None
    document_id: UUID | None = None
    collections: tuple[str, ...] | None = None
    """By name."""
    metadata: Mapping[str, str | int | float | bool] = {}


class Reference(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A passage that went into an answer: where it stands and what it hashes to, never what it says."""

    number: int
    """`[1]` in the answer."""
    context: str
    index: str
    """In which it was found."""
    kind: Literal["session", "attachment", "document"]
    source_id: UUID
    n: int
    hash: str
    """Of its text: half a sha256, in hex."""
    start_char: int
    end_char: int
    start: float | None = None
    """Seconds, in a recording."""
    end: float | None = None
    page: int | None = None


class AnswerEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "chat"
    aggregate: ClassVar[str] = "answer"
    answer_id: UUID


class AnswerAsked(AnswerEvent, frozen=True, kw_only=True):
    """Somebody wants to know something."""

    question: str
    scope: AnswerScope = AnswerScope()
    contexts: tuple[str, ...]
    """Where who asks may look."""
    model: str | None = None
    """Which model should write; None: the one that is set."""
    follows: UUID | None = None
    """The answer before, in a conversation."""


class AnswerAnswered(AnswerEvent, frozen=True, kw_only=True):
    """An answer was found, or that there is none. Its words are a blob: they may quote what is deleted one day."""

    blob: str
    """Blob key of the answer and its quotes, JSON."""
    size: int
    method: Method
    """`none`: it is not known."""
    query: str
    """What was searched for."""
    references: tuple[Reference, ...]
    """All that may have gone into it."""
    positions: Mapping[str, int]
    """Up to where each stream could be found at least."""
    closeness: float
    """Cosine similarity of the question and the nearest sentence, which the guard looked at."""
    supported: bool
    """Whether a citation holds it up."""
    embedder: str
    model: str | None = None
    digest: str | None = None
    """Of the model's weights."""
    prompt_hash: str | None = None
    note: str | None = None
    """Why no model wrote it, where one is set."""
    seconds: float = 0.0

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class AnswerFailed(AnswerEvent, frozen=True, kw_only=True):
    """No answer was made."""

    code: str
    detail: str


class AnswerDeleted(AnswerEvent, frozen=True, kw_only=True):
    """It is gone: somebody wanted that, or something that it used was deleted."""

    source_id: UUID | None = None
    """What was deleted."""


ANSWER_EVENTS = (AnswerAsked, AnswerAnswered, AnswerFailed, AnswerDeleted)
