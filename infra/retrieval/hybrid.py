"""One SQL statement that ranks by meaning and by words, and what it is asked and answers."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from infra.retrieval.index import Index

STATEMENT = Path(__file__).with_name("hybrid.sql").read_text()
# `iterative_scan` needs pgvector 0.8.
SETTINGS = """
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local plan_cache_mode = force_custom_plan;
"""
EXACT_ROWS = 5000
"""Up to so many rows in scope, all are compared; above, the vector index is asked."""
CANDIDATES = 60
"""The best of each kind that are ranked against each other, or twice the limit if that is more."""
MEANING = 0.6
WORDS = 0.4
"""What a match by meaning and one by words count; on questions about our samples this beats either one alone."""


@dataclass(frozen=True)
class Scope:
    """Where to look: everywhere, or where each id that is given applies."""

    job_id: UUID | None = None
    session_id: UUID | None = None


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


@dataclass(frozen=True)
class Hit:
    """A passage, and why it was found."""

    session_id: UUID
    n: int
    job_id: UUID | None
    text: str
    start_char: int
    end_char: int
    start: float
    """Seconds in the recording."""
    end: float
    recorded_at: datetime
    score: float
    """0 to 1. Only the first by meaning and by words, identical in meaning and with every word, has 1."""
    similarity: float | None
    """Cosine similarity of passage and question; None if the question has no vector."""
    coverage: float
    """Share of the question's words that the passage has, from 0 to 1; stop words do not count."""


async def search(
    db: asyncpg.Pool, index: Index, query: Query, vector: NDArray[np.float32] | None
) -> list[Hit]:
    """The best passages first; none for a blank text. Without a vector, only words count.

    The pool's connections must know vectors (`pgvector.asyncpg.register_vector`).
    """
    if not query.text.strip():
        return []
    statement, values = prepared(index, query, vector)
    async with db.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(SETTINGS)
        rows = await connection.fetch(statement, *values)
    return [hit(row) for row in rows]


def prepared(index: Index, query: Query, vector: NDArray[np.float32] | None) -> tuple[str, list[object]]:
    """The statement and its parameters. Of the query, only the names of scopes are part of the statement."""
    values: list[object] = [
        None if vector is None else HalfVector(vector),
        query.text.replace("\0", " "),  # which Postgres takes in no text
        max(CANDIDATES, 2 * query.limit),
        MEANING,
        WORDS,
        query.recency,
        query.half_life_days,
        query.min_score,
        query.limit,
    ]
    conditions = []
    for column in ("job_id", "session_id"):
        if (value := getattr(query.scope, column)) is not None:
            values.append(value)
            conditions.append(f"c.{column} = ${len(values)}")
    statement = STATEMENT.format(
        table=f"{index.schema}.{index.table}",
        exact_rows=EXACT_ROWS,
        scope=" and ".join(conditions) or "true",
    )
    return statement, values


def hit(row: asyncpg.Record) -> Hit:
    fields = dict(row)
    return Hit(start=fields.pop("start_s"), end=fields.pop("end_s"), **fields)
