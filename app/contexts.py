"""The one list of contexts: to add one, add its line to each of these."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import asyncpg

from app.http.endpoints import Call, Endpoint
from app.http.keys import KeyRing
from app.identity import routes as identity_routes
from app.jobsite import queries as jobsite_queries
from app.jobsite import routes as jobsite_routes
from app.jobsite import search as jobsite_search
from app.jobsite import topics as jobsite_topics
from app.operations import routes as operations_routes
from app.operations import topics as operations_topics
from events.catalogue import Upcast
from events.envelope import Key
from events.identity import IDENTITY_EVENTS
from events.jobsite import JOBSITE_EVENTS
from events.operations import OPERATIONS_EVENTS
from handlers.commands import Commands, Decider
from handlers.handler import Handler
from handlers.identity.decide import API_KEYS
from handlers.jobsite.action_item.decide import ACTION_ITEMS
from handlers.jobsite.builder.decide import BUILDERS
from handlers.jobsite.index import indexer
from handlers.jobsite.job.decide import JOBS
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.transcribe import transcriber
from handlers.jobsite.understand import understander
from handlers.operations.decide import ALERTS, DEAD_LETTERS, ERASURES
from infra.blobs import Blobs
from infra.compute import Compute
from infra.embedding import Embedder
from infra.generation import Generator
from infra.retrieval import Index
from infra.signals import Signals
from infra.speech import Speech
from projections.jobsite import jobsite
from projections.operations import OPERATIONS
from projections.projection import Projection

Clock = Callable[[], datetime]
Exists = Callable[[Key], Awaitable[bool]]
Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]

NAMES = ("jobsite", "identity", "operations")
EVENTS = (*JOBSITE_EVENTS, *IDENTITY_EVENTS, *OPERATIONS_EVENTS)
UPCASTS: tuple[Upcast[Any, Any], ...] = ()
DECIDERS: tuple[Decider[Any, Any], ...] = (
    SESSIONS,
    BUILDERS,
    JOBS,
    ACTION_ITEMS,
    API_KEYS,
    DEAD_LETTERS,
    ALERTS,
    ERASURES,
)
READ_MODELS = {"jobsite": "JOBSITE", "operations": "OPERATIONS"}
"""Projections and their streams."""
TOPICS = (*jobsite_topics.TOPICS, *operations_topics.TOPICS)
COUNTS = {"sessions": jobsite_queries.counts}
"""What `/status` counts."""


def handlers(
    *,
    blobs: Blobs,
    speech: Speech,
    embedder: Embedder,
    compute: Compute,
    generator: Generator | None,
    clock: Clock,
    transcriptions: int,
) -> tuple[Handler, ...]:
    """What follows from events."""
    return (
        transcriber(blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        understander(blobs=blobs, clock=clock),
        indexer(blobs=blobs, embedder=embedder, clock=clock),
    )


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    embedder: Embedder,
    generator: Generator | None,
    index: Index,
    ring: KeyRing,
    exists: Exists,
    link: Link,
    clock: Clock,
) -> tuple[Endpoint, ...]:
    """What can be asked over HTTP."""
    return (
        *jobsite_routes.endpoints(
            commands=commands, db=db, blobs=blobs, signals=signals, exists=exists, link=link, clock=clock
        ),
        *jobsite_search.endpoints(db=db, embedder=embedder, index=index, link=link),
        *identity_routes.endpoints(commands=commands, ring=ring, clock=clock),
        *operations_routes.endpoints(commands=commands, db=db, clock=clock),
    )


def projections(index: Index) -> tuple[Projection, ...]:
    """The read models. `index` is the one that searches ask."""
    return (jobsite(index), OPERATIONS)
