"""What is asked: a question, where to look, and which indexes to ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infra.retrieval.index import Index

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Scope:
    """Where to look: everywhere, or where all that is given applies."""

    job_id: UUID | None = None
    session_id: UUID | None = None
    """A recording and what is attached to it."""
    document_id: UUID | None = None
    collection_ids: tuple[UUID, ...] | None = None
    """In any of them."""
    metadata: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Values that a source's metadata must have."""


@dataclass(frozen=True)
class Target:
    """An index to ask, and the question as its embedder sees it; without a vector, only words count."""

    index: Index
    vector: Vector | None
    """Targets of one embedder share one vector (the same object): distances to it are ranked together."""
    collection_ids: tuple[UUID, ...] | None = None
    """The collections that this index answers for; its rows of others are being built, or about to go."""
    job_ids: tuple[UUID, ...] | None = None
    """Only what is of one of these jobs."""
    nearly_all: bool = False
    """Its collections have nearly all of its rows: no index is to be asked for those that have."""


@dataclass(frozen=True)
class Query:
    """What is asked: a question or a few words, in plain language."""

    text: str
    scope: Scope = field(default_factory=Scope)
    limit: int = 10
    min_score: float = 0.0
    recency: float = 0.0
    """How much of its score a passage loses as it gets old: 0 nothing, 1 in the end everything."""
    half_life_days: float = 30.0
    """After so many days, half of what recency takes is gone."""
