"""HTTP of `knowledge`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import asyncpg

from app.http.endpoints import Call, Endpoint
from app.knowledge import collections, documents, ingestions, uploads
from app.knowledge.finding import Finding
from events.envelope import Key
from handlers.commands import Commands
from infra.blobs import Blobs
from infra.retrieval import Index
from infra.signals import Signals


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    indexes: Mapping[tuple[str, int], Index],
    exists: Callable[[Key], Awaitable[bool]],
    link: Callable[[Call[Any, Any], str, str, str], Awaitable[str]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """Collections, documents and ingestions. The first of the embedders that fill `indexes` is the usual one."""
    finding = Finding(commands=commands, db=db, exists=exists)
    embedders = list(dict.fromkeys(embedder for embedder, _ in indexes))
    return (
        *collections.endpoints(commands=commands, db=db, finding=finding, embedders=embedders, clock=clock),
        *uploads.endpoints(commands=commands, finding=finding, blobs=blobs, clock=clock),
        *documents.reading(db=db, signals=signals, finding=finding, indexes=indexes, link=link),
        *documents.changing(commands=commands, clock=clock),
        *ingestions.endpoints(commands=commands, db=db, signals=signals, finding=finding, clock=clock),
    )
