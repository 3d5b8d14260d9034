"""Whatever goes wrong while a request is served leaves as a problem document."""

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.http.problems import problem, refused
from app.http.tracking import CLIENT_GONE, REQUEST_ID, logged_path, path_of
from handlers.refusals import Refusal, Unavailable

log = logging.getLogger(__name__)

STARTED = web.RequestKey("started", bool)

EXPECTED = (ConnectionError, Refusal, web.HTTPException)
"""What may end the handling of a request whose client has hung up; so may any outage."""

RENAMED = {413: "BODY_TOO_LARGE", 416: "RANGE_NOT_SATISFIABLE", 422: "INVALID"}
"""Codes of aiohttp's errors whose names differ between versions of Python; the others are called as there."""


@dataclass(frozen=True)
class Outage:
    """Exceptions that mean that something we depend on is away: the answer is 503 with `code`."""

    errors: tuple[type[BaseException], ...]
    code: str
    detail: str


ANY_OUTAGE = Outage(
    (ConnectionError, TimeoutError, socket.gaierror),
    "UNAVAILABLE",
    "Something this needs does not answer. Nothing is lost; send the request again in a moment.",
)


OUTAGES = web.RequestKey("outages", tuple[Outage, ...])


def failures(outages: Sequence[Outage]) -> Middleware:
    """Turns exceptions into problem documents; the first outage that names an exception's class wins."""
    known = (*outages, ANY_OUTAGE)
    expected = EXPECTED + tuple(error for outage in known for error in outage.errors)

    @web.middleware
    async def translate(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[OUTAGES] = known
        try:
            return await handler(request)
        except Exception as error:
            if request.transport is None or request.transport.is_closing():
                if not isinstance(error, expected):
                    log.error("request failed", exc_info=error, extra={"path": logged_path(request)})
                return web.Response(status=CLIENT_GONE)
            if request.get(STARTED):
                return _abort(request, error)
            return _answer(request, error)

    return translate


def outage_of(request: web.Request, error: Exception) -> Unavailable | None:
    """What an error means to who asked, where it means that something we depend on is away."""
    for outage in request.get(OUTAGES, (ANY_OUTAGE,)):
        if isinstance(error, outage.errors):
            log.warning("dependency unavailable", extra={"code": outage.code, "cause": repr(error)})
            return Unavailable(outage.code, outage.detail)
    return None


async def mark_started(request: web.Request, response: web.StreamResponse) -> None:
    """Remembers that headers are on their way, after which no problem document can be sent."""
    request[STARTED] = True


def _abort(request: web.Request, error: Exception) -> web.Response:
    log.error("response broken off", exc_info=error, extra={"path": logged_path(request)})
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=CLIENT_GONE)


def _answer(request: web.Request, error: Exception) -> web.StreamResponse:
    instance, request_id = path_of(request), request[REQUEST_ID]
    if isinstance(error, Refusal):
        return refused(error, instance=instance, request_id=request_id)
    if isinstance(error, web.HTTPException):
        return _translated(request, error)
    if away := outage_of(request, error):
        return refused(away, instance=instance, request_id=request_id)
    log.error("request failed", exc_info=error, extra={"path": logged_path(request)})
    return problem(
        500,
        "INTERNAL",
        "Something went wrong here. It is logged under the request id.",
        instance=instance,
        request_id=request_id,
    )


def _translated(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    if request.method == "OPTIONS" and isinstance(error, web.HTTPMethodNotAllowed):
        return web.Response(status=204, headers={"Allow": _allowed(error)})
    status = HTTPStatus(error.status)
    detail = f"{status.description or status.phrase}."
    headers = {
        name: value
        for name, value in error.headers.items()
        if not name.startswith("Content-") or name == "Content-Range"
    }
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = headers["Allow"] = _allowed(error)
        detail = f"{request.method} is not possible here, only {allowed}."
    elif isinstance(error, web.HTTPNotFound):
        detail = "Nothing is served at this address. /docs lists what is."
    return problem(
        error.status,
        RENAMED.get(error.status, status.name),
        detail,
        instance=path_of(request),
        request_id=request[REQUEST_ID],
        headers=headers,
    )


def _allowed(error: web.HTTPMethodNotAllowed) -> str:
    return ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
