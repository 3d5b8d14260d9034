"""Search over every context at once: which indexes a scope means, and what one statement finds in all of them."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from app.search.freshness import Freshness, Positions, positions
from app.search.memory import Memory
from app.search.sources import Place, Shown, Source, Spot, Spots, spot
from app.search.views import ScopeBody
from handlers.refusals import Forbidden, NotFound
from infra.embedding import Embedder, EmbeddingUnavailable
from infra.retrieval import Found, Hit, Query, Scope, Target, Vector, explore
from infra.telemetry.logs import logger

log = logger(__name__)

MENTIONED = 10
"""Collections that a refusal names."""
VECTORS, VECTOR_BYTES = 4096, 16 << 20
ANSWERS, ANSWER_BYTES = 2048, 32 << 20
AT_ONCE = 6
"""Searches under way in the database at one time: of its ten connections some are left for other reads."""
HIT_BYTES = 700
"""About what a hit takes beside its text."""


@dataclass(frozen=True)
class Searched:
    """What was found, and how."""

    sources: tuple[Source, ...]
    places: tuple[tuple[Source, Place], ...]
    """The targets, in the order that hits name them by."""
    found: Found
    lexical: bool
    """No query vector could be had for any of them."""
    partial: bool
    """None could be had for some: what is near in meaning there was not found."""
    cached: bool
    since: Positions
    """Where the read models were at least."""

    def source(self, hit: Hit) -> Source:
        return self.places[hit.target][0]


class Searcher:
    """Safe to use from many tasks. Without `freshness` nothing that was found is remembered."""

    def __init__(
        self, db: asyncpg.Pool, sources: Sequence[Source], freshness: Freshness | None = None
    ) -> None:
        self._db = db
        self.sources = tuple(sources)
        self._freshness = freshness
        self._room = asyncio.Semaphore(AT_ONCE)
        self._vectors: Memory[Vector] = Memory(entries=VECTORS, size=VECTOR_BYTES)
        self._answers: Memory[Searched] = Memory(entries=ANSWERS, size=ANSWER_BYTES)

    def meant(self, scope: ScopeBody, may: Callable[[str], bool]) -> tuple[Source, ...]:
        """The contexts that a scope means and the caller may see. Raises `Forbidden` when that leaves none.

        Nothing is both of a job and in a collection: no context is meant, but what is named must be there.
        """
        able = [source for source in self.sources if scope.members <= source.reach]
        asked = able or [source for source in self.sources if scope.names and source.collections]
        if asked and not any(may(source.scope) for source in asked):
            scopes = " or ".join(source.scope for source in asked)
            raise Forbidden("SCOPE_REQUIRED", f"This key does not hold the scope {scopes}.")
        return tuple(source for source in able if may(source.scope))

    async def check(self, sources: Sequence[Source], scope: ScopeBody) -> None:
        """Raises `NotFound` for a collection that is not there."""
        await self._scope(sources, scope)

    async def search(self, sources: Sequence[Source], scope: ScopeBody, query: Query) -> Searched:
        """Search these contexts; `query.scope` is filled in. Raises `NotFound` for a collection that is not there."""
        inside, collections = await self._scope(sources, scope)
        key = (
            tuple(source.context for source in sources),
            query.text,
            repr(inside),
            query.limit,
            query.min_score,
        )
        since = await positions(self._db, sources)
        if query.recency == 0 and (known := await self._remembered(key, sources, since)):
            return known
        asked = Query(query.text, inside, query.limit, query.min_score, query.recency)
        searched = await self._found(sources, collections, None, asked, since)
        if self._freshness and query.recency == 0 and not searched.partial:
            size = sum(HIT_BYTES + 4 * len(hit.text) for hit in searched.found.hits) + HIT_BYTES
            self._answers.put(key, searched, size)
        return searched

    async def among(self, collections: Collection[UUID], jobs: Collection[UUID], query: Query) -> Searched:
        """Search what is in one of these collections or of one of these jobs. Those that are gone hold nothing."""
        wanted = {"collections": collections, "job_id": jobs}
        sources = [
            source for source in self.sources if any(ids and of in source.reach for of, ids in wanted.items())
        ]
        since = await positions(self._db, sources)
        return await self._found(sources, tuple(collections), tuple(jobs), query, since)

    async def _found(
        self,
        sources: Sequence[Source],
        collections: tuple[UUID, ...] | None,
        jobs: tuple[UUID, ...] | None,
        query: Query,
        since: Positions,
    ) -> Searched:
        offered = await asyncio.gather(*(source.places(collections) for source in sources))
        places = tuple(
            (source, place) for source, found in zip(sources, offered, strict=True) for place in found
        )
        vectors = await self._embed({place.embedder.name: place.embedder for _, place in places}, query.text)
        targets = [
            Target(
                place.index,
                vectors.get(place.embedder.name),
                place.collection_ids,
                jobs if "job_id" in source.reach else None,
                nearly_all=collections is None,
            )
            for source, place in places
        ]
        async with self._room:
            found = await explore(self._db, targets, query)
        return Searched(
            tuple(sources),
            places,
            found,
            lexical=not vectors,
            partial=any(place.embedder.name not in vectors for _, place in places),
            cached=False,
            since=since,
        )

    async def shown(self, searched: Searched, words: str) -> Mapping[int, tuple[Hit, Shown]]:
        """By their number, the hits whose sources are still there, with where they lead."""
        found: dict[int, tuple[Hit, Shown]] = {}
        numbered = list(enumerate(searched.found.hits))
        for source in searched.sources:
            own = [(n, hit) for n, hit in numbered if searched.source(hit) is source]
            spots = await self.show(source.context, [spot(hit, words) for _, hit in own])
            found |= {
                n: (hit, spots[hit.source_id, hit.n]) for n, hit in own if (hit.source_id, hit.n) in spots
            }
        return dict(sorted(found.items()))

    async def show(self, context: str, spots: Sequence[Spot]) -> Spots:
        """Where spots of a context lead; one whose source has gone is left out."""
        source = next((each for each in self.sources if each.context == context), None)
        return await source.show(spots) if source and spots else {}

    async def _scope(
        self, sources: Sequence[Source], scope: ScopeBody
    ) -> tuple[Scope, tuple[UUID, ...] | None]:
        ids = None if scope.names is None else await self._collections(sources, scope)
        inside = Scope(
            job_id=scope.job_id,
            session_id=scope.session_id,
            document_id=scope.document_id,
            collection_ids=ids,
            metadata=scope.metadata,
        )
        return inside, ids

    async def _collections(self, sources: Sequence[Source], scope: ScopeBody) -> tuple[UUID, ...]:
        names = dict.fromkeys((*(scope.names or ()), *(scope.collections or ())))
        known: dict[str, UUID] = {}
        for source in sources or self.sources:
            known |= await source.collections() if source.collections else {}
        there = sorted(known)
        known |= {str(id): id for id in known.values()}
        if missing := [name for name in names if name not in known]:
            named = ", ".join(there[:MENTIONED]) + (", …" if len(there) > MENTIONED else "")
            raise NotFound(
                "COLLECTION_NOT_FOUND",
                f"There is no collection {' or '.join(map(repr, missing))}; there is {named or 'none yet'}.",
                field="scope.collection" if scope.collection in missing else "scope.collections",
            )
        return tuple(sorted({known[name] for name in scope.names or ()}))

    async def _embed(self, embedders: Mapping[str, Embedder], text: str) -> dict[str, Vector]:
        """The question as each embedder sees it; those that do not answer are left out."""
        found = {}
        for name, embedder in embedders.items():
            vector = self._vectors.get((name, text))
            if vector is None:
                try:
                    vector = (await embedder.embed([text]))[0]
                except EmbeddingUnavailable as away:
                    log.warning("searching words only", embedder=name, cause=str(away))
                    continue
                self._vectors.put((name, text), vector, vector.nbytes + 4 * len(text) + 200)
            found[name] = vector
        return found

    async def _remembered(self, key: Hashable, sources: Sequence[Source], now: Positions) -> Searched | None:
        """What was found before, if nothing has changed since."""
        if not self._freshness or not (known := self._answers.get(key)):
            return None
        if not await self._freshness.holds(sources, known.since, now):
            self._answers.drop(key)
            return None
        kept = replace(known, cached=True, since=now)
        self._answers.renew(key, kept)
        return kept
