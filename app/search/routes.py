"""HTTP of search: one question over everything that the caller may see."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.http.auth import ANY_KEY
from app.http.endpoints import Call, Endpoint, Reply
from app.search.searcher import Searched, Searcher
from app.search.sources import Original, Shown
from app.search.views import (
    HitView,
    PlanView,
    ScopeBody,
    ScoreView,
    SearchAnswer,
    SearchBody,
    SearchQuery,
)
from handlers.refusals import Forbidden, NotFound
from infra.retrieval import Hit, Query
from infra.retrieval.statement import EXACT_ROWS

Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]


def endpoints(*, searcher: Searcher, link: Link) -> tuple[Endpoint, ...]:
    """Search, by POST and by GET."""

    async def answer(call: Call[Any, Any], wanted: SearchBody) -> Reply:
        sources = searcher.meant(wanted.scope, call.principal.may)
        query = Query(
            text=wanted.query, limit=wanted.limit, min_score=wanted.min_score, recency=wanted.recency
        )
        searched = await searcher.search(sources, wanted.scope, query)
        shown = await searcher.shown(searched, wanted.query)
        hits = [
            hit_view(
                hit,
                place,
                await opened(link, call, place.original),
                _score(searched, hit) if wanted.explain else None,
            )
            for hit, place in shown.values()
        ]
        plan = _plans(searched) if wanted.explain else None
        return Reply(body=SearchAnswer(hits=tuple(hits), method=_method(searched), plan=plan))

    async def by_body(call: Call[None, SearchBody]) -> Reply:
        return await answer(call, call.body)

    async def by_query(call: Call[SearchQuery, None]) -> Reply:
        q = call.query
        scope = ScopeBody(
            job_id=q.job_id, session_id=q.session_id, document_id=q.document_id, collection=q.collection
        )
        wanted = SearchBody(
            query=q.q, scope=scope, limit=q.limit, min_score=q.min_score, recency=q.recency, explain=q.explain
        )
        try:
            return await answer(call, wanted)
        except NotFound as missing:
            place = missing.field and missing.field.removeprefix("scope.")
            raise NotFound(missing.code, missing.detail, field=place) from None

    about = (
        "Ranks recordings, attachments and documents together, by meaning and by words. "
        "Everything is searched that the scope names and the key may read."
    )
    return (
        Endpoint(
            method="POST",
            path="/v1/search",
            handle=by_body,
            summary="Search what was said and written",
            description=about,
            tag="search",
            scope=ANY_KEY,
            body=SearchBody,
            example=SearchBody(query="how much drywall do we need", limit=3),
            answer=SearchAnswer,
            refusals=(Forbidden, NotFound),
        ),
        Endpoint(
            method="GET",
            path="/v1/search",
            handle=by_query,
            summary="Search what was said and written",
            description=about,
            tag="search",
            scope=ANY_KEY,
            query=SearchQuery,
            answer=SearchAnswer,
            refusals=(Forbidden, NotFound),
        ),
    )


async def opened(link: Link, call: Call[Any, Any], original: Original) -> str:
    """Where the original can be played or opened at the right place, for a while."""
    url = await link(call, original.blob, original.media_type, original.name)
    return f"{url}#{original.fragment}" if original.fragment else url


def hit_view(hit: Hit, shown: Shown, url: str, explain: ScoreView | None) -> HitView:
    return HitView(
        kind=hit.kind,
        source_id=hit.source_id,
        n=hit.n,
        job_id=shown.job_id,
        session_id=hit.session_id,
        document_id=hit.source_id if hit.kind == "document" else None,
        collection=shown.collection,
        title=shown.title,
        text=hit.text,
        start_char=hit.start_char,
        end_char=hit.end_char,
        start=None if hit.start is None else round(hit.start, 2),
        end=None if hit.end is None else round(hit.end, 2),
        page=hit.page,
        recorded_at=hit.recorded_at,
        score=round(hit.score, 4),
        similarity=None if hit.similarity is None else round(hit.similarity, 4),
        coverage=round(hit.coverage, 4),
        moment=shown.moment,
        url=url,
        audio_url=url if hit.kind == "session" else None,
        explain=explain,
    )


def _score(searched: Searched, hit: Hit) -> ScoreView:
    return ScoreView(
        index=searched.places[hit.target][1].index.name,
        near_place=hit.near_place,
        said_place=hit.said_place,
        fused=round(hit.fused, 4),
        freshness=round(hit.freshness, 4),
    )


def _plans(searched: Searched) -> tuple[PlanView, ...]:
    return tuple(
        PlanView(
            context=source.context,
            index=plan.index.name,
            method=plan.method,
            rows=min(plan.rows, EXACT_ROWS),
            more_rows=plan.rows > EXACT_ROWS,
            cached=searched.cached,
        )
        for (source, _), plan in zip(searched.places, searched.found.plans, strict=False)
    )


def _method(searched: Searched) -> str:
    if searched.lexical:
        return "lexical"
    return "hybrid:" + ",".join(dict.fromkeys(place.index.name for _, place in searched.places))
