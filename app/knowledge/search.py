"""What can be found of documents: for each collection in the index that answers, with the page it stands on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from app.knowledge import queries
from app.search.sources import Original, Place, Shown, Source, Spot, Spots
from infra.embedding import Embedder
from infra.retrieval.spaces import Slots

CHANGED_BY = (
    "knowledge.collection.>",
    "knowledge.document.*.embedded",
    "knowledge.document.*.indexed",
    "knowledge.document.*.index_removed",
    "knowledge.document.*.metadata_changed",
    "knowledge.document.*.deleted",
)


def source(*, db: asyncpg.Pool, embedders: Mapping[str, Embedder], slots: Slots) -> Source:
    """Collections, as far as they can be searched."""

    async def places(collections: Sequence[UUID] | None) -> Sequence[Place]:
        answering: dict[tuple[str, int], list[UUID]] = defaultdict(list)
        for row in await queries.answerers(db, collections):
            answering[row["embedder"], row["number"] % 2].append(row["id"])
        return [
            Place(slots[slot], embedders[slot[0]], tuple(ids))
            for slot, ids in sorted(answering.items())
            if slot in slots
        ]

    async def show(spots: Sequence[Spot]) -> Spots:
        written = [spot for spot in spots if spot.kind == "document"]
        documents = await queries.titles(db, [spot.source_id for spot in written])
        return {
            (spot.source_id, spot.n): _shown(documents[spot.source_id], spot.page)
            for spot in written
            if spot.source_id in documents
        }

    async def collections() -> Mapping[str, UUID]:
        return {row["name"]: row["id"] for row in await queries.named(db)}

    return Source(
        context="knowledge",
        scope="knowledge:read",
        stream="KNOWLEDGE",
        changed_by=CHANGED_BY,
        reach=frozenset({"document_id", "collections", "metadata"}),
        places=places,
        show=show,
        collections=collections,
    )


def _shown(document: asyncpg.Record, page: int | None) -> Shown:
    fragment = f"page={page}" if page else ""
    return Shown(
        title=document["title"] or document["file_name"],
        original=Original(document["blob"], document["media_type"], document["file_name"], fragment),
        collection=document["collection"],
    )
