"""What is found for an answer, as it may refer to it; and the sources of projects, as far as they are there."""

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.http.auth import Principal, authorize
from app.search.searcher import MENTIONED, Searched, Searcher
from app.search.sources import Source
from events.chat import Manner
from handlers.refusals import NotFound
from infra.retrieval import Query
from infra.retrieval.citations import Passage

RETRIEVED = 8
"""Passages that may go into an answer."""

Names = Mapping[UUID, str | None]


async def passages_of(searcher: Searcher, searched: Searched, question: str) -> tuple[Passage, ...]:
    """What was found, numbered; what has gone meanwhile is left out."""
    shown = await searcher.shown(searched, question)
    return tuple(
        Passage(
            number=number,
            hit=hit,
            title=place.title or place.original.name,
            context=searched.source(hit).context,
            index=searched.places[hit.target][1].index.name,
        )
        for number, (hit, place) in enumerate(shown.values(), start=1)
    )


def finder(searcher: Searcher) -> Callable[[Manner, str], Awaitable[tuple[Passage, ...]]]:
    """What the sources of a project have to a question."""

    async def find(manner: Manner, question: str) -> tuple[Passage, ...]:
        query = Query(question, limit=RETRIEVED)
        searched = await searcher.among(manner.collections, manner.jobs, query)
        return await passages_of(searcher, searched, question)

    return find


def allow_all(principal: Principal, sources: Iterable[Source]) -> None:
    """Raises `Forbidden` for who may not read every source."""
    for source in sources:
        authorize(principal, source.scope)


class ProjectSources:
    """Which sources a project may be given, and who may."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)

    def readable(self, principal: Principal) -> tuple[str, ...]:
        """The contexts that somebody may read."""
        return tuple(each.context for each in self._sources if principal.may(each.scope))

    def allow(self, principal: Principal, project: Mapping[str, Any]) -> None:
        """Raises `Forbidden` where a project's replies may be from what somebody may not read."""
        for source in self._sources:
            if project[f"reads_{source.context}"]:
                authorize(principal, source.scope)

    def allow_all(self, principal: Principal) -> None:
        """Raises `Forbidden` for who may not read every source."""
        allow_all(principal, self._sources)

    async def collections(self, principal: Principal, wanted: Sequence[str]) -> tuple[UUID, ...]:
        """The ids of collections by name or id. Raises `Forbidden`, and `NotFound` for those that are not there."""
        for source in self._sources if wanted else ():
            if source.collections:
                authorize(principal, source.scope)
                named = await source.collections()
                known = {str(id): id for id in named.values()} | dict(named)
                _there("collection", wanted, known, {id: name for name, id in named.items()})
                return tuple(dict.fromkeys(known[each] for each in wanted))
        return ()

    async def jobs(self, principal: Principal, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """The same for jobs, by id."""
        for source in self._sources if wanted else ():
            if source.jobs:
                authorize(principal, source.scope)
                known = await source.jobs()
                _there("job", wanted, known, known)
        return tuple(wanted)


def _there(kind: str, wanted: Iterable[object], known: Container[object], named: Names) -> None:
    if missing := [each for each in wanted if each not in known]:
        there = sorted(f"{name} ({id})" if name else str(id) for id, name in named.items())
        those = ", ".join(there[:MENTIONED]) + (", …" if len(there) > MENTIONED else "")
        raise NotFound(
            f"{kind.upper()}_NOT_FOUND",
            f"There is no {kind} {missing[0]}; there is {those or 'none yet'}.",
            field=f"{kind}s",
        )
