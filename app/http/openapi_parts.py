"""What the operations of the OpenAPI description share: headers, parameters, keys and problems."""

from http import HTTPStatus
from typing import Any

from app.http.auth import TOKEN_PARAMETER
from app.http.positions import AFTER, POSITION
from app.http.preconditions import IF_MATCH
from app.http.problems import MEDIA_TYPE

Schema = dict[str, Any]

SECURITY_SCHEMES: Schema = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "accessToken": {
        "type": "apiKey",
        "in": "query",
        "name": TOKEN_PARAMETER,
        "description": "For browsers, which cannot set headers on WebSockets and event streams.",
    },
}

PARAMETERS: Schema = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "description": "Makes a retry safe for ever: the same key gets the first result again.",
    },
    "IfMatch": {
        "name": IF_MATCH,
        "in": "header",
        "schema": {"type": "string", "examples": ['"5f3c…"']},
        "description": "The ETag of what is to be changed: if it has another by now, nothing is done (412).",
    },
    "HeadwaterAfter": {
        "name": AFTER,
        "in": "header",
        "schema": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*@[0-9]+$", "examples": ["JOBSITE@1234"]},
        "description": f"The {POSITION} of an earlier answer: this one waits until it can be seen.",
    },
}


def _header(description: str, kind: str = "string") -> Schema:
    return {"description": description, "schema": {"type": kind}}


HEADERS: Schema = {
    POSITION: _header(
        f"Where in the log the command ended up, such as JOBSITE@1234; send it back as {AFTER}."
    ),
    "X-Request-Id": _header("The request's id, as sent or made up here; the logs have it too."),
    "RateLimit-Limit": _header("Requests that may come at once.", "integer"),
    "RateLimit-Remaining": _header("Requests left now.", "integer"),
    "RateLimit-Reset": _header("Seconds until all are there again.", "integer"),
    "Retry-After": _header("Seconds after which the same request may succeed.", "integer"),
}


def problem_response(status: int) -> Schema:
    """The response that carries a problem document with this status."""
    response: Schema = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return response
