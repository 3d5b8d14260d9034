"""Two indexes of a collection side by side: how far the newer one is, and what each finds."""

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from app.knowledge.views import CollectionView, IndexView
from infra.embedding import Embedder, EmbeddingUnavailable
from infra.retrieval import Hit, Index, Query, Target, Vector, search
from infra.retrieval.spaces import Slots

BEST = 10
SAMPLES = 5
WORDS = 12
"""Of a passage, as a sample query."""


class ProgressView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Documents that can be found in the index that answers, and how many of them are in the other one."""

    documents: int
    indexed: int
    failed: int
    progress: int
    """0 to 100."""


class QueryView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    query: str
    overlap: float
    """Share of the best ten passages of the index that answers that the other's best ten overlap in the text."""
    active_ms: float
    other_ms: float


class ComparisonView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    overlap_at_10: float = msgspec.field(name="overlapAt10")
    """The mean over the queries."""
    active_ms: float
    """The median, with the embedding of the query."""
    other_ms: float
    queries: tuple[QueryView, ...]


class ReindexView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`building`: a candidate is filled; `ready`: it may be promoted; `promoted`: it answers and may be reverted."""

    collection: str
    state: Literal["none", "building", "ready", "promoted"]
    active: IndexView
    other: IndexView | None
    """The candidate, or after a promotion the index before."""
    progress: ProgressView | None
    comparison: ComparisonView | None
    revert_until: datetime | None


async def progress(db: asyncpg.Pool, collection_id: UUID, active: int, other: int) -> ProgressView:
    row = await db.fetchrow(
        "select count(*) as documents, count(*) filter (where o.state = 'indexed') as indexed, "
        "count(*) filter (where o.state = 'failed') as failed from knowledge.memberships a "
        "left join knowledge.memberships o "
        "on o.document_id = a.document_id and o.slot = $3::int % 2 and o.number = $3 "
        "where a.collection_id = $1 and a.number = $2 and a.state = 'indexed'",
        collection_id,
        active,
        other,
    )
    documents, indexed = row["documents"], row["indexed"]
    share = 100 * indexed // documents if documents else 100
    return ProgressView(documents=documents, indexed=indexed, failed=row["failed"], progress=share)


async def samples(db: asyncpg.Pool, index: Index, collection_id: UUID) -> list[str]:
    """The beginnings of passages from the middle of the newest documents."""
    rows = await db.fetch(
        f"select p.text from (select id from knowledge.documents where collection_id = $1 and status = 'completed' "  # noqa: S608
        f"order by position desc limit $2) d cross join lateral (select text from knowledge.{index.table} "
        "where source_id = d.id order by n desc limit 1) p",
        collection_id,
        SAMPLES,
    )
    return [" ".join(row["text"].split()[:WORDS]) for row in rows]


async def compare(
    db: asyncpg.Pool,
    collection: CollectionView,
    *,
    active: IndexView,
    other: IndexView,
    queries: Sequence[str],
    slots: Slots,
    embedders: Mapping[str, Embedder],
) -> ComparisonView | None:
    """What both find; None when one cannot be asked or there is nothing to ask."""
    found = []
    indexes = [slots.get((each.embedder, each.number % 2)) for each in (active, other)]
    if None in indexes or not indexes[0]:
        return None
    for query in queries or await samples(db, indexes[0], collection.id):
        (before, first), (after, second) = [
            await _timed(db, index, embedders[each.embedder], collection.id, query)
            for each, index in zip((active, other), indexes, strict=True)
            if index
        ]
        found.append(QueryView(query=query, overlap=overlap(before, after), active_ms=first, other_ms=second))
    if not found:
        return None
    return ComparisonView(
        overlap_at_10=round(statistics.fmean(each.overlap for each in found), 4),
        active_ms=statistics.median(each.active_ms for each in found),
        other_ms=statistics.median(each.other_ms for each in found),
        queries=tuple(found),
    )


async def _timed(
    db: asyncpg.Pool, index: Index, embedder: Embedder, collection_id: UUID, text: str
) -> tuple[list[Hit], float]:
    began = time.perf_counter()
    vector: Vector | None = None
    with suppress(EmbeddingUnavailable):  # then by words, as searches do
        vector = (await embedder.embed([text]))[0]
    hits = await search(db, [Target(index, vector, (collection_id,))], Query(text, limit=BEST))
    return hits, round(1000 * (time.perf_counter() - began), 1)


def overlap(before: Sequence[Hit], after: Sequence[Hit]) -> float:
    """Share of the first passages that one of the others overlaps in the same text."""
    if not before:
        return 1.0
    met = sum(
        any(
            each.source_id == hit.source_id
            and each.start_char < hit.end_char
            and hit.start_char < each.end_char
            for each in after
        )
        for hit in before
    )
    return round(met / len(before), 4)
