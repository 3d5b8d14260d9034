"""Cross-origin access for the configured origins."""

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ACCEPTED = (
    "Authorization, Content-Type, X-Api-Key, Idempotency-Key, Headwater-After, If-None-Match, If-Match, Last-Event-ID, "
    "Range, If-Range, X-Request-Id, traceparent"
)
EXPOSED = (
    "Headwater-Position, ETag, Location, X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Content-Range, Content-Disposition, Accept-Ranges"
)
PREFLIGHT_SECONDS = "600"


def preflights(origins: Collection[str]) -> Middleware:
    """Answers the preflight requests of allowed origins; all others go on to be answered like any OPTIONS."""

    @web.middleware
    async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asked or not _allowed(request, origins):
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": ACCEPTED,
                "Access-Control-Max-Age": PREFLIGHT_SECONDS,
            },
        )

    return preflight


def cors_headers(origins: Collection[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Lets pages of the allowed origins read every response, errors too.

    Credentials are never allowed: callers name themselves by header, not by cookie.
    """

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        if not origins:
            return
        if "*" not in origins:
            response.headers.add("Vary", "Origin")
        if origin := _allowed(request, origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED

    return allow


def _allowed(request: web.Request, origins: Collection[str]) -> str | None:
    origin = request.headers.get("Origin")
    if not origin:
        return None
    if "*" in origins:
        return "*"
    return origin if origin.lower() in origins else None
