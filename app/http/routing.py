"""From a request to an endpoint's call, and from its reply to a response."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web
from multidict import MultiDict

from app.http.aliases import spellings
from app.http.auth import ANONYMOUS, TOKEN_PARAMETER, Principal, authenticate, authorize
from app.http.bodies import Patience, expect_later, read_json
from app.http.endpoints import Call, Endpoint, Reply, is_id
from app.http.positions import AFTER, POSITION, Position, parse_position
from app.http.preconditions import unchanged_since
from app.http.problems import Malformed
from app.http.queries import query_reader
from app.http.rates import RateLimiter
from app.http.tracking import ENDPOINT, PRINCIPAL, REQUEST_ID
from handlers.refusals import Unavailable
from infra.blobs.noting import noting

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_encoder = msgspec.json.Encoder()
SETTLING = 1.0
"""Seconds for which a command waits until its effect can be read."""


async def nothing_yet(stream: str) -> int:
    """Of a stream without events."""
    return 0


async def no_waiting(position: Position) -> None:
    """Reads answer from what is there."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every endpoint is served with."""

    identify: Callable[[str], Principal | None]
    """From the secret in a request to whom it belongs."""
    limiter: RateLimiter | None = None
    streams: Collection[str] = ()
    """The streams that there are; a read that would wait for another is refused. Empty: any will do."""
    newest: Callable[[str], Awaitable[int]] = nothing_yet
    """The newest position of a stream; raises `Unavailable`."""
    catch_up: Callable[[Position], Awaitable[None]] = no_waiting
    """Returns once reads see this position; raises `Unavailable` when that takes too long."""
    patience: Patience = field(default_factory=Patience)
    let_go: Callable[[Collection[str]], None] = lambda _: None
    """Told of the blobs that a request has stored before it failed."""


def add_endpoint(app: web.Application, endpoint: Endpoint, desk: Desk, shown: Endpoint | None = None) -> None:
    """Serves the endpoint under all spellings of its path; a GET of something finite answers HEAD too.

    `shown` is the GET of what it changes.
    """
    handler = _handler(endpoint, desk, shown)
    heads = endpoint.method == "GET" and not endpoint.live
    for path in spellings(endpoint.path):
        for method in (endpoint.method, "HEAD") if heads else (endpoint.method,):
            app.router.add_route(method, path, handler, expect_handler=expect_later)


def unmetered(endpoints: Collection[Endpoint]) -> frozenset[str]:
    """The paths, in all spellings, whose requests are not counted."""
    return frozenset(path for each in endpoints if not each.metered for path in spellings(each.path))


def _handler(
    endpoint: Endpoint, desk: Desk, shown: Endpoint | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    read_query = query_reader(endpoint.query)
    decoder: msgspec.json.Decoder[Any] | None = msgspec.json.Decoder(endpoint.body) if endpoint.body else None
    most = endpoint.body_limit or desk.patience.json_bytes
    patience = replace(desk.patience, json_bytes=most)

    async def serve(request: web.Request) -> web.StreamResponse:
        request[ENDPOINT] = endpoint
        principal = _admit(request, endpoint, desk)
        request[PRINCIPAL] = principal
        query = MultiDict(request.query)
        if endpoint.live:
            query.popall(TOKEN_PARAMETER, None)
        call = Call(
            request=request,
            endpoint=endpoint,
            principal=principal,
            request_id=request[REQUEST_ID],
            query=read_query(query),
            ids=_ids(request, endpoint),
            params=request.match_info,
            idempotency_key=_idempotency_key(request),
            after=_after(request, desk.streams),
            body=await read_json(request, decoder, patience) if decoder else None,
            patience=desk.patience,
        )
        if call.after and endpoint.scope is not None:  # without a key nobody reads what could be behind
            await desk.catch_up(call.after)
        since = await unchanged_since(call, shown, newest=desk.newest, catch_up=desk.catch_up)
        if since is not None:
            call = replace(call, unchanged_since=since)
        with noting() as stored:
            try:
                reply = await endpoint.handle(call)
            except BaseException:
                if stored:
                    desk.let_go(stored)
                raise
        if not isinstance(reply, Reply):
            return reply
        if endpoint.settled and endpoint.method != "GET" and reply.position:
            await _settle(reply.position, desk)
        return _response(request, endpoint, reply)

    return serve


async def _settle(position: Position | str, desk: Desk) -> None:
    """Wait until reads see what a command did; not for long, since it is done in any case."""
    done = position if isinstance(position, Position) else parse_position(position)
    with suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(SETTLING):
            await desk.catch_up(done)


def _admit(request: web.Request, endpoint: Endpoint, desk: Desk) -> Principal:
    if endpoint.scope is None:
        return ANONYMOUS
    principal = authenticate(request, desk.identify, token_in_query=endpoint.live)
    if principal and desk.limiter and endpoint.metered:
        desk.limiter.charge(request, "key", principal.id)
    return authorize(principal, endpoint.scope)


def _ids(request: web.Request, endpoint: Endpoint) -> dict[str, UUID]:
    ids = {}
    for name, value in request.match_info.items():
        if is_id(name):
            if not _UUID.fullmatch(value):
                invalid = Malformed("INVALID_ID", f"{name} in the path must be a UUID.", field=name)
                raise endpoint.stranger() if endpoint.stranger else invalid
            ids[name] = UUID(value)
        elif "\0" in value:
            raise Malformed("INVALID_PATH", f"{name} in the path holds the character U+0000.", field=name)
    return ids


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Malformed(
            "INVALID_IDEMPOTENCY_KEY",
            "Idempotency-Key must be 1 to 255 visible ASCII characters.",
            field="Idempotency-Key",
        )
    return key


def _after(request: web.Request, streams: Collection[str]) -> Position | None:
    given = request.headers.get(AFTER)
    if given is None:
        return None
    position = parse_position(given)
    if streams and position.stream not in streams:
        raise Malformed("INVALID_POSITION", f"There is no stream {position.stream}.", field=AFTER)
    return position


def _response(request: web.Request, endpoint: Endpoint, reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.position is not None:
        headers[POSITION] = str(reply.position)
    if reply.etag is not None:
        headers["ETag"] = f'"{reply.etag}"'
        headers.setdefault("Cache-Control", "private, no-cache")
        if _has(request, reply.etag):
            return web.Response(status=304, headers=headers)
    status = endpoint.status if reply.status is None else reply.status
    if reply.body is None:
        return web.Response(status=status, headers=headers)
    body = reply.body if isinstance(reply.body, bytes) else _encoder.encode(reply.body)
    headers.setdefault("Content-Type", endpoint.media_type)
    return web.Response(status=status, body=body, headers=headers)


def _has(request: web.Request, etag: str) -> bool:
    if request.method not in {"GET", "HEAD"}:
        return False
    return any(each.value in (etag, "*") for each in request.if_none_match or ())
