"""All of `notifications` over HTTP, put together."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from app.http.endpoints import Endpoint
from app.notifications import outbox, routes, webhooks
from events.envelope import Key
from handlers.commands import Commands
from infra.blobs import Blobs
from infra.log import Log


def endpoints(
    *,
    commands: Commands,
    log: Log,
    db: asyncpg.Pool,
    blobs: Blobs,
    exists: Callable[[Key], Awaitable[bool]],
    secret: bytes,
    allow_private: bool,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """What people are told, what was sent to whom, and webhooks."""
    return (
        *routes.endpoints(commands=commands, db=db, exists=exists, clock=clock),
        *outbox.endpoints(commands=commands, db=db, blobs=blobs, exists=exists, clock=clock),
        *webhooks.endpoints(
            commands=commands,
            log=log,
            db=db,
            blobs=blobs,
            exists=exists,
            secret=secret,
            allow_private=allow_private,
            clock=clock,
        ),
    )
