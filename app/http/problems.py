"""Errors as RFC 9457 problem documents: one struct, and the one table from refusal to HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web

from handlers.refusals import (
    Changed,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    TooLarge,
    Unavailable,
    Unsupported,
)

MEDIA_TYPE = "application/problem+json"


class Malformed(Refusal):
    """What was sent cannot be read at all."""


class Unauthenticated(Refusal):
    """Nobody we know is asking."""


class RateLimited(Refusal):
    """Too many requests in too short a time."""


class Stalled(Refusal):
    """The client stopped sending in the middle of a body."""


class UpgradeNeeded(Refusal):
    """What is here is a WebSocket, and it was not asked for as one."""


STATUS: Mapping[type[Refusal], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Stalled: 408,
    Conflict: 409,
    Changed: 412,
    TooLarge: 413,
    Unsupported: 415,
    Invalid: 422,
    UpgradeNeeded: 426,
    RateLimited: 429,
    Unavailable: 503,
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An RFC 9457 problem document; `code` is for programs, `error` repeats the detail for simple clients."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    """The path that was asked for."""
    code: str
    error: str
    request_id: str
    """The same as in the header `X-Request-Id` and in the server's logs."""
    field: str | None = None
    """The member of the request at fault, where one is."""


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a class of refusal, or of the nearest class above it that the table names."""
    return next((STATUS[kind] for kind in refusal.__mro__ if kind in STATUS), 400)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    instance: str,
    request_id: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A response that carries a problem document."""
    document = Problem(
        type=f"urn:headwater:problem:{code.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        error=detail,
        request_id=request_id,
        field=field,
    )
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type=MEDIA_TYPE, headers=headers
    )


def refused(refusal: Refusal, *, instance: str, request_id: str) -> web.Response:
    """The problem document of a refusal."""
    status = status_of(type(refusal))
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="headwater"'
    if status == HTTPStatus.UPGRADE_REQUIRED:
        headers |= {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    response = problem(
        status,
        refusal.code,
        refusal.detail,
        instance=instance,
        request_id=request_id,
        field=refusal.field,
        headers=headers,
    )
    if isinstance(refusal, TooLarge | Stalled):
        response.force_close()  # the rest of the body is not wanted
    return response
