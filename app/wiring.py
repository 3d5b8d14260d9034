"""What the contexts bring to the processes: handlers for `work`, endpoints for `serve`, and what both search."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from app.chat import answer_queries, answers
from app.chat import serving as chat_serving
from app.chat.answerer import Answerer
from app.chat.finding import finder
from app.contexts import OUTLIVING, PROOFS, READ_MODELS, SCOPES, projections
from app.http.endpoints import Call, Endpoint
from app.http.keys import KeyRing
from app.identity import routes as identity_routes
from app.jobsite import search as jobsite_search
from app.jobsite import serving as jobsite_serving
from app.knowledge import routes as knowledge_routes
from app.knowledge import search as knowledge_search
from app.live.hub import Hub
from app.notifications import serving as notifications_serving
from app.operations import proofs
from app.operations import routes as operations_routes
from app.operations.deletion import Deletions
from app.operations.whereabouts import places_of
from app.search import routes as search_routes
from app.search.freshness import Freshness
from app.search.searcher import Searcher
from app.search.sources import Source
from events.envelope import Key
from handlers.chat.answer.cascade import cascades as answer_cascades
from handlers.chat.answer.taking_over import taking_over
from handlers.chat.project.reply import Scribe, repliers
from handlers.chat.project.title import titler
from handlers.chat.reply.cascade import cascades as reply_cascades
from handlers.chat.reply.words import Words
from handlers.commands import Commands
from handlers.handler import Handler
from handlers.jobsite import handlers as jobsite_handlers
from handlers.jobsite.notified import NOTIFIER
from handlers.knowledge import handlers as knowledge_handlers
from handlers.knowledge.indexing import members_by
from handlers.knowledge.making import Making
from handlers.notifications.consumers import notifying
from handlers.notifications.deliveries.deliver import Posts
from infra.blobs import Blobs
from infra.compute import Compute
from infra.embedding import Embedder
from infra.generation import Generator
from infra.log import Log
from infra.read_models import ReadModels
from infra.retrieval import Index
from infra.retrieval.spaces import slots_of, spaces_of
from infra.signals import Signals
from infra.speech import Speech

Embedders = Mapping[str, Embedder]
"""By their names, the usual one first."""
Clock = Callable[[], datetime]
Exists = Callable[[Key], Awaitable[bool]]
Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]


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
    searcher = Searcher(db, sources(db=db, embedder=embedder, embedders=embedders, index=index))
    answerer = Answerer(
        searcher=searcher,
        embedder=embedder,
        generator=generator,
        blobs=blobs,
        earlier=partial(answer_queries.earlier, db),
    )
    told = notifying(log=log, blobs=blobs, posts=posts, clock=clock)
    return (
        *jobsite_handlers(
            log=log,
            models=read_models,
            url=url,
            blobs=blobs,
            speech=speech,
            embedder=embedder,
            compute=compute,
            generator=generator,
            notifier=next(each for each in told if each.name == NOTIFIER),
            clock=clock,
            transcriptions=transcriptions,
        ),
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
        *reply_cascades(models=read_models, log=log, signals=signals),
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
    caught_up: Callable[[str], Awaitable[None]],
    link: Link,
    webhook_secret: bytes,
    webhook_allow_private: bool,
    clock: Clock,
) -> tuple[Endpoint, ...]:
    """What can be asked over HTTP."""
    spaces = spaces_of(embedders.values())
    models = projections(index, spaces)
    places = {each.kind: places_of(each.kind, models, OUTLIVING) for each in PROOFS}
    deletions = Deletions(log=log, db=db, blobs=blobs, places=places, streams=READ_MODELS)
    searcher = Searcher(db, sources(db=db, embedder=embedder, embedders=embedders, index=index), freshness)
    return (
        *jobsite_serving.endpoints(
            commands=commands,
            log=log,
            db=db,
            blobs=blobs,
            signals=signals,
            model=models[0],
            exists=exists,
            link=link,
            clock=clock,
        ),
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
            hub=hub,
            exists=exists,
            link=link,
            clock=clock,
        ),
        *knowledge_routes.endpoints(
            commands=commands,
            db=db,
            blobs=blobs,
            signals=signals,
            embedders=embedders,
            grace=grace,
            exists=exists,
            caught_up=lambda: caught_up("KNOWLEDGE"),
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
        *notifications_serving.endpoints(
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
