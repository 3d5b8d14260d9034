"""Hybrid search: one SQL statement over one index or several, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from infra.retrieval import statement
from infra.retrieval.asked import Query, Target
from infra.retrieval.index import Index, Kind
from infra.retrieval.survey import survey


@dataclass(frozen=True)
class Hit:
    """A passage, and why it was found."""

    kind: Kind
    source_id: UUID
    """The session, attachment or document that it is a piece of."""
    n: int
    job_id: UUID | None
    session_id: UUID | None
    collection_id: UUID | None
    text: str
    start_char: int
    end_char: int
    start: float | None
    """Seconds in the recording, where there is one."""
    end: float | None
    page: int | None
    recorded_at: datetime
    score: float
    """0 to 1. Only the first by meaning and by words, identical in meaning and with every word, has 1."""
    similarity: float | None
    """Cosine similarity of passage and question; None if the question has no vector."""
    coverage: float
    """Share of the question's words that the passage has, from 0 to 1; stop words do not count."""
    near_place: int | None
    """Its place by meaning, from 1, if it was among the candidates."""
    said_place: int | None
    """Its place by words."""
    fused: float
    """The score before age took its part."""
    freshness: float
    """1 for what was recorded now, half after each half-life."""
    target: int
    """Which of the targets has it, from 0."""


@dataclass(frozen=True)
class Plan:
    """How an index was asked."""

    index: Index
    method: statement.Method
    rows: int
    """In scope, counted up to one more than are compared one by one."""


@dataclass(frozen=True)
class Found:
    hits: tuple[Hit, ...]
    """Best first."""
    plans: tuple[Plan, ...]
    """One a target."""


async def search(db: asyncpg.Pool, targets: Sequence[Target], query: Query) -> list[Hit]:
    """The best passages of all targets, best first; none for a blank text.

    The pool's connections must know vectors (`pgvector.asyncpg.register_vector`).
    """
    return list((await explore(db, targets, query)).hits)


async def explore(db: asyncpg.Pool, targets: Sequence[Target], query: Query) -> Found:
    """The same, with how each index was asked."""
    if not query.text.strip() or not targets:
        return Found((), ())
    async with db.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(statement.SETTINGS)
        parts = await survey(connection, targets, query, most=statement.EXACT_ROWS + 1)
        rows: list[asyncpg.Record] = []
        if inhabited := [part for part in parts if part.rows]:
            sql, values = statement.prepared(inhabited, query)
            rows = await connection.fetch(sql, *values)
    return Found(
        tuple(hit(row) for row in rows),
        tuple(Plan(part.target.index, statement.method(part), part.rows) for part in parts),
    )


def hit(row: asyncpg.Record) -> Hit:
    fields = dict(row)
    return Hit(start=fields.pop("start_s"), end=fields.pop("end_s"), **fields)
