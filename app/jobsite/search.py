"""Search over what was said: words and meaning together, each hit with the moment in the recording."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.jobsite import queries
from app.jobsite.views import HitView, MomentView, SearchAnswer
from infra.embedding import Embedder, EmbeddingUnavailable
from infra.retrieval import Hit, Index, Query, Scope, Target, search
from infra.telemetry.logs import logger

log = logger(__name__)

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ScopeBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where to look; everything that is given must hold."""

    job_id: UUID | None = None
    session_id: UUID | None = None


class SearchBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to look for, and how."""

    query: Text
    scope: ScopeBody = ScopeBody()
    limit: Limit = 10
    min_score: Share = 0.0
    """Hits below this score (0 to 1) are left out."""
    recency: Share = 0.0
    """How much of its score a passage loses as it gets old: 0 nothing, 1 in the end everything."""


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The same as query parameters."""

    q: Text
    job_id: UUID | None = None
    session_id: UUID | None = None
    limit: Limit = 10
    min_score: Share = 0.0
    recency: Share = 0.0


def endpoints(
    *,
    db: asyncpg.Pool,
    embedder: Embedder,
    index: Index,
    link: Callable[[Call[Any, Any], str, str, str], Awaitable[str]],
) -> tuple[Endpoint, ...]:
    """Search, by POST and by GET."""

    async def answer(call: Call[Any, Any], wanted: SearchBody) -> Reply:
        vector = None
        try:
            vector = (await embedder.embed([wanted.query]))[0]
        except EmbeddingUnavailable as away:
            log.warning("searching words only", cause=str(away))
        query = Query(
            text=wanted.query,
            scope=Scope(job_id=wanted.scope.job_id, session_id=wanted.scope.session_id),
            limit=wanted.limit,
            min_score=wanted.min_score,
            recency=wanted.recency,
        )
        found = [hit for hit in await search(db, [Target(index, vector)], query) if hit.kind == "session"]
        sources = await queries.titles(db, [hit.source_id for hit in found])
        moments = await queries.moments(db, wanted.query, found)
        hits = [
            await view(call, hit, sources[hit.source_id], moments.get((hit.source_id, hit.n)))
            for hit in found
            if hit.source_id in sources
        ]
        method = "lexical" if vector is None else f"hybrid:{index.name}"
        return Reply(body=SearchAnswer(hits=tuple(hits), method=method))

    async def view(
        call: Call[Any, Any], hit: Hit, source: asyncpg.Record, moment: MomentView | None
    ) -> HitView:
        start, end = round(hit.start or 0.0, 2), round(hit.end or 0.0, 2)
        moment = moment or MomentView(text=hit.text, start=start, end=end)
        audio = await link(call, source["blob"], source["media_type"], source["file_name"])
        return HitView(
            session_id=hit.source_id,
            job_id=source["job_id"],
            title=source["title"],
            text=hit.text,
            start=start,
            end=end,
            start_char=hit.start_char,
            end_char=hit.end_char,
            recorded_at=hit.recorded_at,
            score=round(hit.score, 4),
            similarity=None if hit.similarity is None else round(hit.similarity, 4),
            coverage=round(hit.coverage, 4),
            moment=moment,
            audio_url=f"{audio}#t={moment.start:.2f}",
        )

    async def by_body(call: Call[None, SearchBody]) -> Reply:
        return await answer(call, call.body)

    async def by_query(call: Call[SearchQuery, None]) -> Reply:
        q = call.query
        scope = ScopeBody(job_id=q.job_id, session_id=q.session_id)
        wanted = SearchBody(query=q.q, scope=scope, limit=q.limit, min_score=q.min_score, recency=q.recency)
        return await answer(call, wanted)

    return (
        Endpoint(
            method="POST",
            path="/v1/search",
            handle=by_body,
            summary="Search what was said",
            tag="search",
            scope="jobsite:read",
            body=SearchBody,
            example=SearchBody(query="how much drywall do we need", limit=3),
            answer=SearchAnswer,
        ),
        Endpoint(
            method="GET",
            path="/v1/search",
            handle=by_query,
            summary="Search what was said",
            tag="search",
            scope="jobsite:read",
            query=SearchQuery,
            answer=SearchAnswer,
        ),
    )
