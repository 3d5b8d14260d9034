"""The API's own description: `/openapi.json`, `/asyncapi.json` and `/docs`, a page that shows them."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.http.hardening import PAGE

ASSETS = {
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
    "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
}


def descriptions(openapi: Mapping[str, Any], asyncapi: Mapping[str, Any]) -> tuple[Endpoint, ...]:
    """Endpoints that serve the two documents and the page, open to everybody and not counted."""
    documents = {"/openapi.json": openapi, "/asyncapi.json": asyncapi}
    folder = files(__package__)
    return (
        *(
            _static(path, msgspec.json.encode(document), "application/json")
            for path, document in documents.items()
        ),
        *(_static(path, (folder / name).read_bytes(), kind) for path, (name, kind) in ASSETS.items()),
    )


def _static(path: str, content: bytes, media_type: str) -> Endpoint:
    reply = Reply(
        body=content,
        headers={"Content-Security-Policy": PAGE, "Cache-Control": "no-cache"},
        etag=hashlib.sha256(content).hexdigest()[:16],
    )

    async def show(call: Call[None, None]) -> Reply:
        return reply

    return Endpoint(
        method="GET",
        path=path,
        handle=show,
        summary=path,
        tag="Description",
        scope=None,
        media_type=media_type,
        metered=False,
    )
