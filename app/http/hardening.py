"""Response headers that keep browsers from doing more with an answer than was meant."""

from aiohttp import web

SERVER = "headwater"
"""All that the `Server` header says."""

NOTHING = "default-src 'none'; media-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
"""The content security policy of everything but pages: an answer opened in a browser may play, not run."""

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""The policy of our own pages: scripts and styles from here only, none inline."""


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the security headers and takes says nothing of what serves."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Content-Security-Policy", NOTHING)
    headers.setdefault("Cache-Control", "no-store")
    headers["Server"] = SERVER
