"""The one list of contexts: to add one, add its line to each of these."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from app.chat import answer_queries, answer_topics, answers
from app.chat import description as chat_description
from app.chat import queries as chat_queries
from app.chat import serving as chat_serving
from app.chat import topics as chat_topics
from app.chat.answerer import Answerer
from app.chat.finding import finder
from app.http.asyncapi import Channel
from app.http.endpoints import Call, Endpoint
from app.http.keys import KeyRing
from app.identity import routes as identity_routes
from app.jobsite import again as jobsite_again
from app.jobsite import attaching as jobsite_attaching
from app.jobsite import attachment_queries
from app.jobsite import attachments as jobsite_attachments
from app.jobsite import builders as jobsite_builders
from app.jobsite import correcting as jobsite_correcting
from app.jobsite import deleting as jobsite_deleting
from app.jobsite import discrepancies as jobsite_discrepancies
from app.jobsite import items as jobsite_items
from app.jobsite import job_reads as jobsite_job_reads
from app.jobsite import jobs as jobsite_jobs
from app.jobsite import queries as jobsite_queries
from app.jobsite import reports as jobsite_reports
from app.jobsite import routes as jobsite_routes
from app.jobsite import search as jobsite_search
from app.jobsite import suggesting as jobsite_suggesting
from app.jobsite import topics as jobsite_topics
from app.jobsite.overview import Overview
from app.jobsite.past import Past
from app.jobsite.sights import Sights
from app.knowledge import queries as knowledge_queries
from app.knowledge import routes as knowledge_routes
from app.knowledge import search as knowledge_search
from app.knowledge import topics as knowledge_topics
from app.live.hub import Hub
from app.notifications import outbox as notifications_outbox
from app.notifications import queries as notifications_queries
from app.notifications import routes as notifications_routes
from app.notifications import topics as notifications_topics
from app.notifications import webhooks as notifications_webhooks
from app.operations import letters, proofs
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
from events.chat import CHAT_EVENTS
from events.envelope import Key
from events.identity import IDENTITY_EVENTS
from events.jobsite import JOBSITE_EVENTS
from events.knowledge import KNOWLEDGE_EVENTS
from events.notifications import NOTIFICATIONS_EVENTS
from events.operations import OPERATIONS_EVENTS
from handlers.chat.answer.cascade import cascades as answer_cascades
from handlers.chat.answer.decide import ANSWERS
from handlers.chat.answer.taking_over import taking_over
from handlers.chat.project.decide import PROJECTS
from handlers.chat.project.reply import Scribe, repliers
from handlers.chat.project.title import titler
from handlers.chat.reply.cascade import cascades as reply_cascades
from handlers.chat.reply.decide import REPLIES
from handlers.chat.reply.words import Words
from handlers.commands import Commands, Decider
from handlers.handler import Handler
from handlers.identity.decide import API_KEYS
from handlers.jobsite.action_item.decide import ACTION_ITEMS
from handlers.jobsite.attachment.decide import ATTACHMENTS
from handlers.jobsite.attachment.following import following
from handlers.jobsite.attachment.stages import stages as attachment_stages
from handlers.jobsite.builder.decide import BUILDERS
from handlers.jobsite.cascade import cascades
from handlers.jobsite.compare import comparers
from handlers.jobsite.index import indexers
from handlers.jobsite.items import followers
from handlers.jobsite.job.decide import JOBS
from handlers.jobsite.misheard import forgetter
from handlers.jobsite.notified import NOTIFIER, notified, unnotified
from handlers.jobsite.reading import Reading
from handlers.jobsite.report import reporters
from handlers.jobsite.retranscribe import retranscriber
from handlers.jobsite.retry import retrier
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.summarise import summarisers
from handlers.jobsite.transcribe import transcriber
from handlers.jobsite.understand import understanders
from handlers.knowledge import handlers as knowledge_handlers
from handlers.knowledge.collection.decide import COLLECTIONS
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.indexing import members_by
from handlers.knowledge.making import Making
from handlers.notifications.consumers import notifying
from handlers.notifications.decide import INBOXES, NOTIFICATIONS, SOURCES
from handlers.notifications.deliveries.decide import DELIVERIES
from handlers.notifications.deliveries.deliver import Posts
from handlers.notifications.webhooks.decide import WEBHOOKS
from handlers.operations.decide import ALERTS, DEAD_LETTERS, ERASURES
from infra.blobs import Blobs
from infra.compute import Compute
from infra.embedding import Embedder
from infra.generation import Generator
from infra.log import Log
from infra.read_models import ReadModels
from infra.retrieval import Index
from infra.retrieval.spaces import Spaces, slots_of, spaces_of
from infra.signals import Signals
from infra.speech import Speech
from projections.chat import CHAT
from projections.jobsite import jobsite
from projections.knowledge import knowledge
from projections.notifications import NOTIFICATIONS as NOTIFICATIONS_MODEL
from projections.operations import OPERATIONS
from projections.projection import Projection

Embedders = Mapping[str, Embedder]
"""By their names, the usual one first."""
Clock = Callable[[], datetime]
Exists = Callable[[Key], Awaitable[bool]]
Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]

NAMES = ("jobsite", "knowledge", "chat", "notifications", "identity", "operations")
SCOPES = (
    *(
        f"{area}:{verb}"
        for area in (*NAMES, "keys", "compute")
        if area != "identity"
        for verb in ("read", "write")
    ),
    "metrics:read",
)
"""What keys can be given."""
EVENTS = (
    *JOBSITE_EVENTS,
    *KNOWLEDGE_EVENTS,
    *CHAT_EVENTS,
    *NOTIFICATIONS_EVENTS,
    *IDENTITY_EVENTS,
    *OPERATIONS_EVENTS,
)
UPCASTS: tuple[Upcast[Any, Any], ...] = ()
DECIDERS: tuple[Decider[Any, Any], ...] = (
    SESSIONS,
    BUILDERS,
    JOBS,
    ATTACHMENTS,
    ACTION_ITEMS,
    COLLECTIONS,
    DOCUMENTS,
    PROJECTS,
    REPLIES,
    ANSWERS,
    API_KEYS,
    DEAD_LETTERS,
    ALERTS,
    ERASURES,
    NOTIFICATIONS,
    INBOXES,
    SOURCES,
    DELIVERIES,
    WEBHOOKS,
)
READ_MODELS = {
    "jobsite": "JOBSITE",
    "knowledge": "KNOWLEDGE",
    "chat": "CHAT",
    "notifications": "NOTIFICATIONS",
    "operations": "OPERATIONS",
}
"""Projections and their streams."""
TOPICS = (
    *jobsite_topics.TOPICS,
    *knowledge_topics.TOPICS,
    *chat_topics.TOPICS,
    *notifications_topics.TOPICS,
    answer_topics.ANSWERS,
    *operations_topics.TOPICS,
)
COUNTS = {
    "sessions": jobsite_queries.counts,
    "attachments": attachment_queries.counts,
    "documents": knowledge_queries.counts,
    "projects": chat_queries.counts,
    "notifications": notifications_queries.counts,
    "outbox": notifications_queries.outbox_counts,
    "chats": answer_queries.counts,
    "deadLetters": letters.counts,
    "alerts": letters.alert_counts,
}
"""What `/status` counts."""
CHANNELS: tuple[Channel, ...] = (*chat_description.channels(),)
"""Sockets of their own, for `/asyncapi.json`."""
PROOFS = (
    Proof("jobsite.session", "/v1/sessions/{sessionId}", "jobsite:read", "sessions"),
    Proof("jobsite.attachment", "/v1/attachments/{attachmentId}", "jobsite:read", "attachments"),
    Proof("jobsite.job", "/v1/jobs/{jobId}", "jobsite:read", "jobs"),
    Proof("knowledge.document", "/v1/documents/{documentId}", "knowledge:read", "documents"),
    Proof("chat.project", "/v1/projects/{projectId}", "chat:read", "projects"),
    Proof("chat.reply", "/v1/replies/{replyId}", "chat:read", "projects"),
    Proof("chat.answer", "/v1/chats/{answerId}", "chat:read", "chats"),
    Proof("knowledge.collection", "/v1/collections/{collectionId}", "knowledge:read", "collections"),
)
"""What can be deleted, and shown to be."""
OUTLIVING = {
    "jobsite.history.id": "event <> 'deleted'",
    "jobsite.history.job_id": "false",
    "jobsite.builders.session_id": "false",
    "jobsite.jobs.session_id": "false",
    "notifications.notifications.job_id": "false",
    "notifications.deliveries.job_id": "false",
    "notifications.deliveries.source": "status <> 'deleted'",
}
"""Columns with rows that outlive what they name: which of them must go with it all the same. That something was
deleted stays in its history; what was of a job once keeps that in its own; a builder or a job tells in which recording
it was first heard of. Notifications go with their
session, whose job may be another by then; of mail that was sent, to whom and when stays, and not what it said."""


def handlers(
    *,
    log: Log,
    db: asyncpg.Pool,
    signals: Signals,
    index: Index,
    read_models: ReadModels,
    url: str,
    blobs: Blobs,
    posts: Posts,
    speech: Speech,
    commands: Commands,
    embedder: Embedder,
    embedders: Embedders,
    compute: Compute,
    generator: Generator | None,
    context_limit: int,
    clock: Clock,
    transcriptions: int,
) -> tuple[Handler, ...]:
    """What follows from events."""
    reading = Reading(read_models, log, blobs)
    searcher = Searcher(db, sources(db=db, embedder=embedder, embedders=embedders, index=index))
    answerer = Answerer(
        searcher=searcher,
        embedder=embedder,
        generator=generator,
        blobs=blobs,
        earlier=partial(answer_queries.earlier, db),
    )
    stages = (
        transcriber(blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        *summarisers(reading=reading, blobs=blobs, embedder=embedder, generator=generator, clock=clock),
        *indexers(reading=reading, blobs=blobs, embedder=embedder, clock=clock),
        *reporters(reading=reading, blobs=blobs, url=url, clock=clock),
    )
    told = notifying(log=log, blobs=blobs, posts=posts, clock=clock)
    return (
        *stages,
        *understanders(blobs=blobs, log=log, generator=generator, clock=clock),
        *attachment_stages(blobs=blobs, compute=compute, log=log, clock=clock),
        *following(log=log, models=read_models),
        *followers(reading=reading, blobs=blobs),
        notified(),
        unnotified(),
        retrier((*stages, *(each for each in told if each.name == NOTIFIER)), reading=reading),
        retranscriber(reading=reading, blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        *comparers(reading=reading, blobs=blobs),
        *cascades(models=read_models, log=log),
        forgetter(reading=reading, models=read_models),
        *knowledge_handlers(
            blobs=blobs,
            making=Making(compute, embedders),
            look=commands.look,
            members=members_by(read_models),
            clock=clock,
        ),
        *repliers(
            Scribe(
                log=log,
                signals=signals,
                words=Words(log, blobs),
                find=finder(searcher),
                embedder=embedder,
                generator=generator,
                limit=context_limit,
            )
        ),
        titler(log=log, generator=generator),
        *told,
        taking_over(make=answerer.ending, commands=commands, signals=signals, clock=clock),
        *answer_cascades(models=read_models, log=log),
        *reply_cascades(models=read_models, log=log),
    )


def sources(
    *, db: asyncpg.Pool, embedder: Embedder, embedders: Embedders, index: Index
) -> tuple[Source, ...]:
    """What can be searched."""
    slots = slots_of(spaces_of(embedders.values()))
    return (
        jobsite_search.source(db=db, embedder=embedder, index=index),
        knowledge_search.source(db=db, embedders=embedders, slots=slots),
    )


def endpoints(
    *,
    commands: Commands,
    log: Log,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    embedder: Embedder,
    embedders: Embedders,
    generator: Generator | None,
    index: Index,
    freshness: Freshness,
    grace: timedelta,
    ring: KeyRing,
    hub: Hub,
    exists: Exists,
    link: Link,
    webhook_secret: bytes,
    webhook_allow_private: bool,
    clock: Clock,
) -> tuple[Endpoint, ...]:
    """What can be asked over HTTP."""
    spaces = spaces_of(embedders.values())
    models = projections(index, spaces)
    past = Past(log, blobs, models[0])
    places = {each.kind: places_of(each.kind, models, OUTLIVING) for each in PROOFS}
    deletions = Deletions(log=log, db=db, blobs=blobs, places=places, streams=READ_MODELS)
    searcher = Searcher(db, sources(db=db, embedder=embedder, embedders=embedders, index=index), freshness)
    return (
        *jobsite_routes.endpoints(
            commands=commands,
            db=db,
            blobs=blobs,
            signals=signals,
            exists=exists,
            link=link,
            sights=Sights(db, past, link),
            clock=clock,
        ),
        *jobsite_builders.endpoints(commands=commands, db=db, clock=clock),
        *jobsite_jobs.endpoints(commands=commands, clock=clock),
        *jobsite_job_reads.endpoints(db=db, overview=Overview(db, past), clock=clock),
        *jobsite_items.endpoints(commands=commands, db=db, clock=clock),
        *jobsite_discrepancies.endpoints(commands=commands, db=db, clock=clock),
        *jobsite_correcting.endpoints(commands=commands, blobs=blobs, clock=clock),
        *jobsite_suggesting.endpoints(commands=commands, clock=clock),
        *search_routes.endpoints(searcher=searcher, link=link),
        *answers.endpoints(
            answerer=Answerer(
                searcher=searcher,
                embedder=embedder,
                generator=generator,
                blobs=blobs,
                earlier=partial(answer_queries.earlier, db),
            ),
            commands=commands,
            db=db,
            signals=signals,
            exists=exists,
            link=link,
            clock=clock,
        ),
        *jobsite_attaching.endpoints(commands=commands, log=log, blobs=blobs, clock=clock),
        *jobsite_attachments.endpoints(
            db=db, blobs=blobs, signals=signals, exists=exists, link=link, clock=clock
        ),
        *jobsite_reports.endpoints(commands=commands, db=db, blobs=blobs, exists=exists, clock=clock),
        *jobsite_again.endpoints(commands=commands, log=log, db=db, blobs=blobs, clock=clock),
        *jobsite_deleting.endpoints(commands=commands, clock=clock),
        *knowledge_routes.endpoints(
            commands=commands,
            db=db,
            blobs=blobs,
            signals=signals,
            embedders=embedders,
            grace=grace,
            exists=exists,
            link=link,
            clock=clock,
        ),
        *chat_serving.endpoints(
            commands=commands,
            db=db,
            signals=signals,
            words=Words(log, blobs),
            searcher=searcher,
            link=link,
            generator=generator,
            hub=hub,
            exists=exists,
            clock=clock,
        ),
        *proofs.endpoints(deletions, PROOFS),
        *identity_routes.endpoints(
            commands=commands, ring=ring, secret=webhook_secret, scopes=SCOPES, clock=clock
        ),
        *operations_routes.endpoints(commands=commands, db=db, clock=clock),
        *notifications_routes.endpoints(commands=commands, db=db, exists=exists, clock=clock),
        *notifications_outbox.endpoints(commands=commands, db=db, blobs=blobs, exists=exists, clock=clock),
        *notifications_webhooks.endpoints(
            commands=commands,
            log=log,
            db=db,
            blobs=blobs,
            exists=exists,
            secret=webhook_secret,
            allow_private=webhook_allow_private,
            clock=clock,
        ),
    )


def projections(index: Index, spaces: Spaces) -> tuple[Projection, ...]:
    """The read models. `index` is of recordings; `spaces` are those in which collections can be indexed."""
    return (jobsite(index), knowledge(slots_of(spaces)), CHAT, NOTIFICATIONS_MODEL, OPERATIONS)
