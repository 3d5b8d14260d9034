"""Citations of messages with where they lead: to a moment of a recording, or to the page of an original."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
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

Lead = Callable[[Call[Any, Any], tuple[MessageView, ...]], Awaitable[tuple[MessageView, ...]]]


def leading(searcher: Searcher, link: Link) -> Lead:
    """One whose source has just gone leads nowhere."""

    async def lead(call: Call[Any, Any], messages: tuple[MessageView, ...]) -> tuple[MessageView, ...]:
        cited = [each for message in messages for each in message.citations]
        places = await _places(searcher, cited)
        led = iter(
            [
                msgspec.structs.replace(
                    each, moment=place.moment, url=await opened(link, call, place.original)
                )
                if (place := places.get((each.source_id, n)))
                else each
                for n, each in enumerate(cited)
            ]
        )
        return tuple(
            msgspec.structs.replace(message, citations=tuple(next(led) for _ in message.citations))
            if message.citations
            else message
            for message in messages
        )

    return lead


async def _places(searcher: Searcher, cited: list[CitedView]) -> dict[tuple[UUID, int], Shown]:
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
