"""Endpoints as data: what is asked, what it takes, who may, and what it answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from app.http.auth import Principal
from app.http.bodies import Patience, chunks
from app.http.multipart import Form, Kept, Multipart, Upload, read_form
from app.http.positions import Position
from handlers.refusals import Refusal

Q = TypeVar("Q")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True)
class Call(Generic[Q, B]):
    """One request, decoded: `query` and `body` are the structs that the endpoint names, else None."""

    request: web.Request
    endpoint: "Endpoint"
    principal: Principal
    """Who asks; `auth.ANONYMOUS` at an open endpoint without credentials."""
    request_id: str
    query: Q
    body: B
    ids: Mapping[str, UUID]
    """The path parameters that `is_id` knows by their names."""
    params: Mapping[str, str]
    """All path parameters, as sent."""
    idempotency_key: str | None
    after: Position | None
    """What a read must have seen; already waited for when the endpoint is called."""
    patience: Patience
    unchanged_since: int | None = None
    """The position behind which nothing may have happened to what is changed, if that was asked for."""

    def chunks(self, *, limit: int) -> AsyncIterator[bytes]:
        """The raw body as it arrives, `limit` bytes at most."""
        return chunks(self.request, limit=limit, idle=self.patience.idle_seconds)

    async def form(self, keep: Callable[[Upload], Awaitable[Kept]]) -> Form[Any, Kept]:
        """Reads the multipart body once, front to back; `keep` consumes the file as it arrives."""
        shape = self.endpoint.multipart
        if shape is None:
            raise TypeError(f"{self.endpoint.path} names no multipart body")
        return await read_form(self.request, shape, keep, idle=self.patience.idle_seconds)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: structs become JSON, bytes are sent as they are, with the endpoint's media type."""

    body: object = None
    status: int | None = None
    """The endpoint's own where None."""
    headers: Mapping[str, str] = field(default_factory=dict)
    position: Position | str | None = None
    """Where in the log the command ended up: what a later read can wait for."""
    etag: str | None = None
    """The version of what is shown, without quotes; a client that has it gets 304."""


Handle = Callable[[Call[Any, Any]], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Everything about one method on one path: routing, decoding, access and documentation read it here.

    The path is the `/v1` one; `app/http/aliases.py` knows its other spellings.
    """

    method: str
    path: str
    handle: Handle
    summary: str
    tag: str
    scope: str | None
    """What a key must hold; None is open to everybody."""
    description: str = ""
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    body_limit: int | None = None
    """Bytes of the body at most, where that is not what every JSON body may have."""
    multipart: Multipart | None = None
    example: msgspec.Struct | None = None
    """A body worth trying, shown in /docs."""
    answer: Any = None
    """The type of the JSON answer; None for no content or for what is not JSON."""
    media_type: str = "application/json"
    status: int = 200
    also: Mapping[int, Any] = field(default_factory=dict)
    """Other statuses that belong to success, each with the type of its answer as above, and those of refusals that
    have no class, with `Problem`."""
    refusals: tuple[type[Refusal], ...] = ()
    """What this may refuse with, beyond what any endpoint with its traits does."""
    stranger: Callable[[], Refusal] | None = None
    """What answers an id in the path that is no UUID, where `INVALID_ID` does not."""
    live: bool = False
    """A WebSocket or an event stream: browsers may name themselves with `?access_token=`."""
    settled: bool = True
    """A command that answers once its effect can be read, or after a moment: for clients that send no positions."""
    metered: bool = True
    """Whether requests count against the rate limit of their address and key."""


def is_id(parameter: str) -> bool:
    """Whether a path parameter, by its name (`id`, `sessionId`), is the id of something, and so a UUID."""
    return parameter == "id" or parameter.endswith("Id")
