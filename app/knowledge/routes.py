"""HTTP of `knowledge`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from app.http.endpoints import Call, Endpoint
from app.knowledge import collections, documents, ingestions, reindexing, uploads
from app.knowledge.finding import Finding
from events.envelope import Key
from handlers.commands import Commands
from infra.blobs import Blobs
from infra.embedding import Embedder
from infra.retrieval.spaces import slots_of, spaces_of
from infra.signals import Signals


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    embedders: Mapping[str, Embedder],
    grace: timedelta,
    exists: Callable[[Key], Awaitable[bool]],
    caught_up: Callable[[], Awaitable[None]],
    link: Callable[[Call[Any, Any], str, str, str], Awaitable[str]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """Collections, documents and ingestions. The first embedder is the usual one; a promotion can be reverted for the
    time of `grace`."""
    finding = Finding(commands=commands, db=db, exists=exists)
    slots = slots_of(spaces_of(embedders.values()))
    return (
        *collections.endpoints(
            commands=commands, db=db, finding=finding, embedders=list(embedders), clock=clock
        ),
        *uploads.endpoints(commands=commands, finding=finding, blobs=blobs, clock=clock),
        *documents.reading(db=db, signals=signals, finding=finding, indexes=slots, link=link),
        *documents.changing(commands=commands, clock=clock),
        *reindexing.endpoints(
            commands=commands,
            db=db,
            finding=finding,
            slots=slots,
            embedders=embedders,
            grace=grace,
            clock=clock,
        ),
        *ingestions.endpoints(
            commands=commands, db=db, signals=signals, finding=finding, caught_up=caught_up, clock=clock
        ),
    )
