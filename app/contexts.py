"""The one list of contexts: to add one, add its line to each of these."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import asyncpg

from app.http.endpoints import Call, Endpoint
from app.http.keys import KeyRing
from app.identity import routes as identity_routes
from app.jobsite import deleting as jobsite_deleting
from app.jobsite import queries as jobsite_queries
from app.jobsite import routes as jobsite_routes
from app.jobsite import search as jobsite_search
from app.jobsite import topics as jobsite_topics
from app.operations import proofs
from app.operations import routes as operations_routes
from app.operations import topics as operations_topics
from app.operations.deletion import Deletions
from app.operations.proofs import Proof
from app.operations.whereabouts import places_of
from app.search import routes as search_routes
from app.search.freshness import Freshness
from app.search.searcher import Searcher
from app.search.sources import Source
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
from handlers.jobsite.cascade import cascades
from handlers.jobsite.index import indexer
from handlers.jobsite.job.decide import JOBS
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.summarise import summarisers
from handlers.jobsite.transcribe import transcriber
from handlers.jobsite.understand import understander
from handlers.operations.decide import ALERTS, DEAD_LETTERS, ERASURES
from infra.blobs import Blobs
from infra.compute import Compute
from infra.embedding import Embedder
from infra.generation import Generator
from infra.log import Log
from infra.read_models import ReadModels
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
PROOFS = (
    Proof("jobsite.session", "/v1/sessions/{sessionId}", "jobsite:read", "sessions"),
    Proof("jobsite.job", "/v1/jobs/{jobId}", "jobsite:read", "jobs"),
)
"""What can be deleted, and shown to be."""
OUTLIVING = {
    "jobsite.history.id": "event <> 'deleted'",
    "jobsite.history.job_id": "event <> 'deleted'",
    "jobsite.builders.session_id": "false",
    "jobsite.jobs.session_id": "false",
}
"""Columns with rows that outlive what they name: which of them must go with it all the same. The history of a job tells
that something was deleted; a builder or a job, in which recording it was first heard of."""


def handlers(
    *,
    log: Log,
    read_models: ReadModels,
    blobs: Blobs,
    speech: Speech,
    embedder: Embedder,
    compute: Compute,
    generator: Generator | None,
    clock: Clock,
    transcriptions: int,
) -> tuple[Handler, ...]:
    """What follows from events."""
    reading = Reading(read_models, log, blobs)
    return (
        transcriber(blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        understander(blobs=blobs, clock=clock),
        *summarisers(reading=reading, blobs=blobs, embedder=embedder, generator=generator, clock=clock),
        indexer(blobs=blobs, embedder=embedder, clock=clock),
        *cascades(models=read_models, log=log),
    )


def sources(*, db: asyncpg.Pool, embedder: Embedder, index: Index) -> tuple[Source, ...]:
    """What can be searched."""
    return (jobsite_search.source(db=db, embedder=embedder, index=index),)


def endpoints(
    *,
    commands: Commands,
    log: Log,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    embedder: Embedder,
    generator: Generator | None,
    index: Index,
    freshness: Freshness,
    ring: KeyRing,
    exists: Exists,
    link: Link,
    clock: Clock,
) -> tuple[Endpoint, ...]:
    """What can be asked over HTTP."""
    models = projections(index)
    places = {each.kind: places_of(each.kind, models, OUTLIVING) for each in PROOFS}
    deletions = Deletions(log=log, db=db, blobs=blobs, places=places, streams=READ_MODELS)
    searcher = Searcher(db, sources(db=db, embedder=embedder, index=index), freshness)
    return (
        *jobsite_routes.endpoints(
            commands=commands, db=db, blobs=blobs, signals=signals, exists=exists, link=link, clock=clock
        ),
        *search_routes.endpoints(searcher=searcher, link=link),
        *jobsite_deleting.endpoints(commands=commands, clock=clock),
        *proofs.endpoints(deletions, PROOFS),
        *identity_routes.endpoints(commands=commands, ring=ring, clock=clock),
        *operations_routes.endpoints(commands=commands, db=db, clock=clock),
    )


def projections(index: Index) -> tuple[Projection, ...]:
    """The read models. `index` is the one that searches ask."""
    return (jobsite(index), OPERATIONS)
