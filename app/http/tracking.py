"""Every request gets an id and a span, and leaves one line in the log."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.http.auth import Principal
from app.http.endpoints import Endpoint, is_id
from infra.telemetry import traces
from infra.telemetry.logs import context

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
CLIENT_GONE = 499
"""The status logged for a client that hung up before its answer; never sent."""

REQUEST_ID = web.RequestKey("request_id", str)
ENDPOINT = web.RequestKey("endpoint", Endpoint)
PRINCIPAL = web.RequestKey("principal", Principal)

_SANE = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as metrics see it. `route` is the endpoint's path, so its values are few."""

    method: str
    route: str
    status: int
    seconds: float


def tracking(observe: Callable[[Exchange], None]) -> Middleware:
    """Takes over the client's request id or makes one; logs and observes every exchange."""

    @web.middleware
    async def track(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get(HEADER, "")
        request[REQUEST_ID] = given if _SANE.fullmatch(given) else str(uuid4())
        with (
            context(request_id=request[REQUEST_ID]),
            traces.server_span(request.method, _template(request), request.headers) as span,
        ):
            started, status = time.perf_counter(), CLIENT_GONE
            try:
                response = await handler(request)
                status = response.status
                return response
            finally:
                seconds = time.perf_counter() - started
                endpoint = request.get(ENDPOINT)
                exchange = Exchange(request.method, endpoint.path if endpoint else "", status, seconds)
                traces.answered(span, status)
                observe(exchange)
                _log(request, exchange)

    return track


def _template(request: web.Request) -> str:
    """The path that was matched, with the names of its parameters; empty when none was."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _log(request: web.Request, exchange: Exchange) -> None:
    principal = request.get(PRINCIPAL)
    log.info(
        "request served",
        extra={
            "request_id": request[REQUEST_ID],
            "method": exchange.method,
            "path": logged_path(request),
            "route": exchange.route,
            "status": exchange.status,
            "milliseconds": round(exchange.seconds * 1000, 2),
            "client": request.remote,
            "principal": principal.id if principal else None,
        },
    )


def path_of(request: web.BaseRequest) -> str:
    """The path as it was sent, in ASCII and without the query, which may hold a token."""
    return request.rel_url.raw_path.encode("ascii", "backslashreplace").decode()


def logged_path(request: web.Request) -> str:
    """The path as logs may have it: of what stands in it only ids, for the rest may be an address or a name."""
    template = _template(request)
    if not template:
        return path_of(request)
    return re.sub(r"{(\w+)[^}]*}", lambda found: _shown(request, found[1], found[0]), template)


def _shown(request: web.Request, parameter: str, instead: str) -> str:
    return quote(request.match_info[parameter], safe="") if is_id(parameter) else instead


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Echoes the request id in the response's headers."""
    response.headers[HEADER] = request[REQUEST_ID]
