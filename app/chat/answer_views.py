"""What `/v1/chat` is asked and answers, as the structs that OpenAPI shows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.http.forms import VISIBLE
from app.search.sources import MomentView
from app.search.views import ScopeBody
from events.chat import AnswerScope
from infra.retrieval import Kind

Status = Literal["processing", "completed", "failed"]
Question = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=VISIBLE)]


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class ChatBody(_View, frozen=True, kw_only=True, omit_defaults=True):
    """A question, and where its answer may be found."""

    question: Question
    scope: ScopeBody = ScopeBody()
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    """Which model should write the answer, where models are set."""
    chat_id: UUID | None = None
    """The answer that this question follows: read with it, over the same scope unless another one is given."""


class CitationView(_View, frozen=True, kw_only=True):
    """Where something that the answer says stands. `quote` stands there literally."""

    number: int
    """`[1]` in the answer."""
    kind: Kind
    source_id: UUID
    session_id: UUID | None
    document_id: UUID | None
    collection: str | None
    job_id: UUID | None
    title: str | None
    quote: str
    start_char: int
    end_char: int
    """Where the quote stands in the source's text."""
    page: int | None
    moment: MomentView | None
    """In a recording: what is said there, and when."""
    url: str
    """Plays the recording from that moment, or opens the original at the page."""


class ReferenceView(_View, frozen=True, kw_only=True):
    """A passage that went into the answer."""

    number: int
    context: str
    index: str
    kind: Kind
    source_id: UUID
    n: int
    hash: str
    """Of its text: the first half of a sha256, in hex."""
    start_char: int
    end_char: int
    start: float | None
    end: float | None
    page: int | None
    cited: bool


class ContextView(_View, frozen=True, kw_only=True):
    """Exactly what an answer was made of."""

    query: str
    scope: AnswerScope
    contexts: tuple[str, ...]
    references: tuple[ReferenceView, ...]
    positions: Mapping[str, int]
    """Up to where of each stream could be found at least."""
    closeness: float
    """Cosine similarity of the question and the nearest sentence."""
    embedder: str
    model: str | None
    digest: str | None
    prompt_hash: str | None
    seconds: float


class Fault(_View, frozen=True, kw_only=True):
    code: str
    detail: str


class ChatSummary(_View, frozen=True, kw_only=True):
    """A question, and how far its answer is."""

    id: UUID
    question: str
    status: Status
    method: str | None
    answer: str | None
    follows: UUID | None
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None


class AnswerView(_View, frozen=True, kw_only=True):
    """An answer with what it cites; without citations when it is not known."""

    id: UUID
    question: str
    status: Status
    answer: str | None
    citations: tuple[CitationView, ...]
    method: str | None
    """`generated`: a model wrote it; `extractive`: quoted from what was found; `none`: it is not known."""
    supported: bool
    """False when a model wrote something that none of its citations holds up."""
    note: str | None
    """Why no model wrote it, where one is set."""
    error: Fault | None
    context: ContextView | None
    follows: UUID | None
    """The answer before, in a conversation."""
    position: str


class ChatsQuery(_View, frozen=True, kw_only=True):
    """Which questions to list, newest first."""

    mine: bool = False
    """Only those asked with this key."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class SourcesView(_View, frozen=True, kw_only=True):
    """What is read for an answer."""

    id: UUID
    sources: tuple["SourceView", ...]


class SourceView(_View, frozen=True, kw_only=True):
    number: int
    kind: Kind
    source_id: UUID
    title: str
    score: float


class ChunkView(_View, frozen=True, kw_only=True):
    """A piece of an answer, before its citations have been checked."""

    id: UUID
    text: str
