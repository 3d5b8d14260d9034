"""From a request to the envelope of what it asks for."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.http.endpoints import Call
from events.envelope import Intent
from events.ids import derived_id, new_id
from infra.telemetry.traces import inject

REQUESTS = UUID("9d1c5f8e-0b67-5f0a-8a54-1f1c1f3f9b21")
"""Name space of command ids that come from an `Idempotency-Key`."""


def intent(call: Call[Any, Any], clock: Callable[[], datetime], *content: object) -> Intent:
    """Why and for whom something is appended.

    With an `Idempotency-Key` the command's id derives from it, the caller and the endpoint, so the same request is the
    same command for ever; `content` tells whether it is the same request.
    """
    key = call.idempotency_key
    asked = f"{call.endpoint.method} {call.endpoint.path}"
    command_id = derived_id(REQUESTS, call.principal.id, asked, key) if key else new_id()
    return Intent(
        command_id=command_id,
        actor=call.principal.id,
        at=clock(),
        correlation_id=command_id,
        trace=inject(),
        fingerprint=fingerprint(content) if key else None,
        unchanged_since=call.unchanged_since,
    )


def fingerprint(content: object) -> str:
    """Tells a request that is sent again from another one under the same key."""
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]


def created_id(made: Intent, kind: str) -> UUID:
    """The id of what a command creates: found again by a retry with the same key, new otherwise."""
    return derived_id(made.command_id, kind) if made.fingerprint else new_id()
