"""`If-Match` (RFC 9110, section 13.1.1): what is changed must be as its sender has seen it."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any

from multidict import MultiDict

from app.http.endpoints import Call, Endpoint, Reply
from app.http.positions import Position
from app.http.problems import Malformed
from app.http.queries import query_reader

IF_MATCH = "If-Match"
CHANGES = frozenset({"PUT", "PATCH", "DELETE"})

Newest = Callable[[str], Awaitable[int]]
CatchUp = Callable[[Position], Awaitable[None]]


def shown_by(endpoint: Endpoint, endpoints: Collection[Endpoint]) -> Endpoint | None:
    """What shows the thing that this changes, with an `ETag`, where anything does."""
    if endpoint.method not in CHANGES or not endpoint.scope:
        return None
    return next((each for each in endpoints if (each.method, each.path) == ("GET", endpoint.path)), None)


async def unchanged_since(
    call: Call[Any, Any], shown: Endpoint | None, *, newest: Newest, catch_up: CatchUp
) -> int | None:
    """The position of its context's stream at which a thing was as `If-Match` says; None without that header.

    The command sees to it that nothing has happened to the thing behind that position; and it alone knows whether it
    was carried out already, so that 0 stands for a thing that has changed. Raises what showing the thing raises.
    """
    if IF_MATCH not in call.request.headers or call.endpoint.method not in CHANGES:
        return None
    if shown is None:
        raise _unsupported()
    stream = str(shown.scope).partition(":")[0].upper()
    position = Position(stream, await newest(stream))
    await catch_up(position)
    reply = await shown.handle(
        replace(call, endpoint=shown, query=query_reader(shown.query)(MultiDict()), body=None)
    )
    etag = reply.etag if isinstance(reply, Reply) else None
    tags = call.request.if_match or ()
    if any(each.value in ("*", etag) and not each.is_weak for each in tags):  # a weak one may be of another
        return position.sequence
    if etag is None:
        raise _unsupported()
    return 0


def _unsupported() -> Malformed:
    return Malformed("IF_MATCH_UNSUPPORTED", "This has no ETag that If-Match could name.", field=IF_MATCH)
