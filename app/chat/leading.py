"""Citations with where they lead: to a moment of a recording, or to the page of an original."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec

from app.chat.views import CitedView, MessageView
from app.http.endpoints import Call
from app.search.routes import Link, opened
from app.search.searcher import Searcher
from app.search.sources import Shown, Spot
from infra.retrieval import Kind

CONTEXTS = {"document": "knowledge", "session": "jobsite", "attachment": "jobsite"}

Lead = Callable[[Call[Any, Any], Sequence[CitedView]], Awaitable[tuple[CitedView, ...]]]


def leading(searcher: Searcher, link: Link) -> Lead:
    """One whose source has just gone leads nowhere."""

    async def lead(call: Call[Any, Any], cited: Sequence[CitedView]) -> tuple[CitedView, ...]:
        places = await _places(searcher, cited)
        return tuple(
            [
                msgspec.structs.replace(
                    each, moment=place.moment, url=await opened(link, call, place.original)
                )
                if (place := places.get((each.source_id, n)))
                else each
                for n, each in enumerate(cited)
            ]
        )

    return lead


async def led(lead: Lead, call: Call[Any, Any], messages: tuple[MessageView, ...]) -> tuple[MessageView, ...]:
    """Messages with where their citations lead, all looked up at once."""
    places = iter(await lead(call, [each for message in messages for each in message.citations]))
    return tuple(
        msgspec.structs.replace(message, citations=tuple(next(places) for _ in message.citations))
        if message.citations
        else message
        for message in messages
    )


async def _places(searcher: Searcher, cited: Sequence[CitedView]) -> dict[tuple[UUID, int], Shown]:
    """By source and place in the list: several may be from one passage."""
    spots: dict[str, list[Spot]] = defaultdict(list)
    for n, each in enumerate(cited):
        start, end = each.start_char or 0, each.end_char or 0
        spot = Spot(cast("Kind", each.kind), each.source_id, n, start, end, each.page, each.quote)
        spots[CONTEXTS[each.kind]].append(spot)
    places: dict[tuple[UUID, int], Shown] = {}
    for context, wanted in spots.items():
        places |= await searcher.show(context, wanted)
    return places
