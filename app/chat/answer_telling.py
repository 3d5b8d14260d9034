"""An answer as it is told: each citation with where it leads now."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.chat.answer_views import AnswerView, CitationView, ContextView, Fault, ReferenceView, Status
from app.chat.answerer import Made
from app.http.endpoints import Call
from app.search.routes import Link, opened
from app.search.searcher import Searcher
from app.search.sources import Shown, Spot
from events.chat import AnswerAsked, AnswerScope, Reference
from infra.retrieval.saved import SavedQuote


@dataclass(frozen=True, kw_only=True)
class Told:
    """All that is known of a question and its answer."""

    id: UUID
    question: str
    status: Status
    scope: AnswerScope
    contexts: tuple[str, ...]
    text: str | None
    method: str | None
    supported: bool
    note: str | None
    error: tuple[str, str] | None
    query: str
    references: tuple[Reference, ...]
    quotes: tuple[SavedQuote, ...]
    positions: Mapping[str, int]
    closeness: float
    embedder: str
    model: str | None
    digest: str | None
    prompt_hash: str | None
    seconds: float
    follows: UUID | None
    position: str


def made_now(asked: AnswerAsked, made: Made, position: str) -> Told:
    """An answer that was just recorded."""
    c = made.command
    return Told(
        id=asked.answer_id,
        question=asked.question,
        status="completed",
        scope=asked.scope,
        contexts=asked.contexts,
        text=made.saved.text,
        method=c.method,
        supported=c.supported,
        note=c.note,
        error=None,
        query=c.query,
        references=c.references,
        quotes=made.saved.quotes,
        positions=c.positions,
        closeness=c.closeness,
        embedder=c.embedder,
        model=c.model,
        digest=c.digest,
        prompt_hash=c.prompt_hash,
        seconds=c.seconds,
        follows=asked.follows,
        position=position,
    )


Tell = Callable[[Call[Any, Any], Told], Awaitable[AnswerView]]


def teller(searcher: Searcher, link: Link) -> Tell:
    """From what is known to what is shown; a citation whose source has just gone is left out."""

    async def tell(call: Call[Any, Any], told: Told) -> AnswerView:
        by_number = {each.number: each for each in told.references}
        cited = [(quote, by_number[quote.number]) for quote in told.quotes if quote.number in by_number]
        spots: dict[str, list[Spot]] = defaultdict(list)
        for n, (quote, reference) in enumerate(cited):
            spots[reference.context].append(_spot(n, quote, reference))
        places: dict[tuple[UUID, int], Shown] = {}
        for context, wanted in spots.items():
            places |= await searcher.show(context, wanted)
        citations = [
            _citation(quote, reference, place, await opened(link, call, place.original))
            for n, (quote, reference) in enumerate(cited)
            if (place := places.get((reference.source_id, n)))
        ]
        return _view(told, tuple(citations))

    return tell


def _spot(n: int, quote: SavedQuote, reference: Reference) -> Spot:
    """Told apart by its place among the quotes: two may be from one passage."""
    return Spot(
        reference.kind, reference.source_id, n, quote.start_char, quote.end_char, reference.page, quote.text
    )


def _citation(quote: SavedQuote, reference: Reference, place: Shown, url: str) -> CitationView:
    return CitationView(
        number=quote.number,
        kind=reference.kind,
        source_id=reference.source_id,
        session_id=reference.source_id if reference.kind == "session" else None,
        document_id=reference.source_id if reference.kind == "document" else None,
        collection=place.collection,
        job_id=place.job_id,
        title=place.title,
        quote=quote.text,
        start_char=quote.start_char,
        end_char=quote.end_char,
        page=reference.page,
        moment=place.moment,
        url=url,
    )


def _view(told: Told, citations: tuple[CitationView, ...]) -> AnswerView:
    return AnswerView(
        id=told.id,
        question=told.question,
        status=told.status,
        answer=told.text,
        citations=citations,
        method=told.method,
        supported=told.supported,
        note=told.note,
        error=Fault(code=told.error[0], detail=told.error[1]) if told.error else None,
        context=_context(told) if told.status == "completed" else None,
        follows=told.follows,
        position=told.position,
    )


def _context(told: Told) -> ContextView:
    cited = {quote.number for quote in told.quotes}
    return ContextView(
        query=told.query,
        scope=told.scope,
        contexts=told.contexts,
        references=tuple(
            ReferenceView(**msgspec.structs.asdict(each), cited=each.number in cited)
            for each in told.references
        ),
        positions=told.positions,
        closeness=told.closeness,
        embedder=told.embedder,
        model=told.model,
        digest=told.digest,
        prompt_hash=told.prompt_hash,
        seconds=told.seconds,
    )
