"""What search is asked and what it answers, as the structs that OpenAPI shows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from app.search.sources import MomentView
from infra.retrieval import Kind

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Scalar = str | int | float | bool


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class ScopeBody(_View, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where to look; everything that is given must hold. Without any of it: all that the caller may see.

    A misspelt member is refused: without it, more would be found than was asked for.
    """

    job_id: UUID | None = None
    session_id: UUID | None = None
    """A recording and what is attached to it."""
    document_id: UUID | None = None
    collection: Name | None = None
    """By its name, or its id."""
    collections: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=50)] | None = None
    """In any of them."""
    metadata: Annotated[Mapping[Name, Scalar], msgspec.Meta(max_length=20)] = {}
    """What a document's metadata must have."""

    def __post_init__(self) -> None:
        if self.collection and self.collections and self.collection not in self.collections:
            raise ValueError("`collection` is none of `collections`, and nothing is in both")

    @property
    def names(self) -> tuple[str, ...] | None:
        """The collections that are meant, if any are named."""
        return (self.collection,) if self.collection else tuple(dict.fromkeys(self.collections or ())) or None

    @property
    def members(self) -> frozenset[str]:
        """Which of its members say something."""
        given = {name for name in ("job_id", "session_id", "document_id") if getattr(self, name) is not None}
        return frozenset(
            given | ({"collections"} if self.names else set()) | ({"metadata"} if self.metadata else set())
        )


class SearchBody(_View, frozen=True, kw_only=True):
    """What to look for, and how."""

    query: Text
    scope: ScopeBody = ScopeBody()
    limit: Limit = 10
    min_score: Share = 0.0
    """Hits below this score (0 to 1) are left out."""
    recency: Share = 0.0
    """How much of its score a passage loses as it gets old: 0 nothing, 1 in the end everything."""
    explain: bool = False
    """Whether to tell of what scores are made, and how each index was asked."""


class SearchQuery(_View, frozen=True, kw_only=True):
    """The same as query parameters."""

    q: Text
    job_id: UUID | None = None
    session_id: UUID | None = None
    document_id: UUID | None = None
    collection: Name | None = None
    limit: Limit = 10
    min_score: Share = 0.0
    recency: Share = 0.0
    explain: bool = False


class ScoreView(_View, frozen=True, kw_only=True):
    """Of what a hit's score is made."""

    index: str
    near_place: int | None
    """Its place by meaning, from 1; null when it was not among the nearest."""
    said_place: int | None
    """Its place by words."""
    fused: float
    """Both places, weighted with how good each match is in itself."""
    freshness: float
    """1 for what is new, half after thirty days; the score is `fused * (1 - recency + recency * freshness)`."""


class HitView(_View, frozen=True, kw_only=True):
    """A passage that answers a search, with where it stands."""

    kind: Kind
    source_id: UUID
    """The recording, attachment or document that it is a piece of."""
    n: int
    """Its place among the passages of its source."""
    job_id: UUID | None
    session_id: UUID | None
    document_id: UUID | None
    collection: str | None
    title: str | None
    text: str
    start_char: int
    end_char: int
    """Where it stands in the source's text."""
    start: float | None
    end: float | None
    """Seconds in the recording, where there is one."""
    page: int | None
    recorded_at: datetime
    score: float
    similarity: float | None
    """Cosine similarity of the passage and the query; null when words alone were searched."""
    coverage: float
    """Share of the query's words that the passage has."""
    moment: MomentView | None
    """In a recording: the part of the passage that has most of the query's words."""
    url: str
    """Plays the recording from that moment, or opens the original at the page."""
    audio_url: str | None
    """The same link, for recordings only."""
    explain: ScoreView | None = None


class PlanView(_View, frozen=True, kw_only=True):
    """How one index was asked."""

    context: str
    index: str
    method: str
    """`exact`: every passage in scope was compared; `hnsw`: the vector index was walked; `words`: no query vector."""
    rows: int
    """Passages in scope."""
    more_rows: bool
    """There are more: they were only counted up to where the method is clear."""
    cached: bool


class SearchAnswer(_View, frozen=True, kw_only=True):
    hits: tuple[HitView, ...]
    method: str
    """What was searched: `hybrid:<indexes>`, or `lexical` when no query vector could be had."""
    plan: tuple[PlanView, ...] | None = None
    """When `explain` was asked for."""
