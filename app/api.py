"""The API process: endpoints, keys, live topics and figures, from start to clean stop."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import asyncpg
from nats.aio.msg import Msg

from app import contexts, wiring
from app.compute import routes as compute_routes
from app.http import asyncapi as events_document
from app.http import openapi as http_document
from app.http.docs import descriptions
from app.http.endpoints import Call, Endpoint
from app.http.failures import Outage
from app.http.keys import KeyRing
from app.http.positions import Position
from app.http.problems import Malformed
from app.http.rates import RateLimiter
from app.http.routing import Desk
from app.http.server import application, listen
from app.http.tracking import Exchange
from app.identity import keys
from app.kernel import Kernel, now
from app.live.description import channels
from app.live.hub import Hub
from app.live.readable import Readable
from app.places import Places
from app.platform import routes as platform
from app.platform.condition import Condition, Figures
from app.search.freshness import Freshness
from app.settings import Settings
from events.envelope import Key
from infra.blobs import BlobsUnavailable
from infra.compute import Compute
from infra.custody import Custody
from infra.embedding import Embedder, EmbeddingUnavailable
from infra.generation import Generator
from infra.jetstream import LogUnavailable
from infra.read_models import ReadModels
from infra.retrieval import Index
from infra.stored import leader_get
from infra.telemetry.exposition import snapshot
from infra.telemetry.heartbeat import SUBJECTS, Roster, beat, first_beat
from infra.telemetry.logs import logger
from infra.telemetry.metrics import Lag

log = logger(__name__)

NAME = "headwater"
VERSION = version(NAME)

OUTAGES = (
    Outage(
        (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError),
        "NOT_MIGRATED",
        "There are no read models of this version yet. Its operator runs `headwater migrate`.",
    ),
    Outage((LogUnavailable,), "LOG_UNAVAILABLE", "The log does not answer. Ask again in a moment."),
    Outage(
        (BlobsUnavailable,), "BLOBS_UNAVAILABLE", "The blob store does not answer. Ask again in a moment."
    ),
    Outage(
        (
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            OSError,
        ),
        "DATABASE_UNAVAILABLE",
        "The read models cannot be asked. What you send is still accepted; ask again in a moment.",
    ),
)


async def serve(
    settings: Settings,
    where: Places,
    kernel: Kernel,
    *,
    db: asyncpg.Pool,
    embedder: Embedder,
    others: tuple[Embedder, ...],
    compute: Compute,
    generator: Generator | None,
    index: Index,
    ready: Callable[[str], None],
) -> None:
    """Serve until cancelled; `ready` is told the URL. Raises `CannotListen`."""
    ring, roster, me = KeyRing(), Roster(), first_beat("serve", now())
    known = await keys.load(kernel.log, ring)
    await keys.first_key(settings.home, settings.api_key, ring, kernel.commands, now)
    known = await keys.load(kernel.log, ring, known)
    readable = Readable(where.database, contexts.READ_MODELS)
    hub = Hub(
        nc=kernel.nc,
        log=kernel.log,
        readable=readable,
        topics=contexts.TOPICS,
        metrics=kernel.metrics,
        still_valid=ring.holds,
        ping_interval=settings.ws_ping_interval,
        pong_timeout=settings.ws_pong_timeout,
    )
    custody = Custody(ReadModels(where.database, kernel.log, contexts.READ_MODELS), kernel.blobs)
    desk = Desk(
        identify=ring.identify,
        limiter=_limiter(settings),
        streams=contexts.STREAMS,
        newest=kernel.log.last_position,
        catch_up=readable.catch_up,
        let_go=custody.let_go_soon,
    )
    app = application(
        endpoints=_endpoints(
            settings, where, kernel, db=db, embedder=embedder, others=others, compute=compute, generator=generator,
            index=index, ring=ring, roster=roster, readable=readable, hub=hub, name=me.name,
        ),
        desk=desk,
        origins=settings.cors_origins,
        outages=OUTAGES,
        observe=_observed(kernel),
        on_shutdown=(hub.close,),
    )  # fmt: skip
    await kernel.nc.subscribe(SUBJECTS, cb=_hears(roster))
    async with asyncio.TaskGroup() as group:
        group.create_task(keys.follow(kernel.log, ring, known), name="follow keys")
        group.create_task(readable.run(), name="readable")
        group.create_task(hub.run(), name="live hub")
        group.create_task(_load(embedder), name="load the embedder")
        group.create_task(beat(kernel.nc.publish, first=me, metrics=kernel.metrics, clock=now))
        listening = await listen(app, host=settings.host, port=settings.port)
        log.info("listening", url=listening.url)
        ready(listening.url)
        try:
            await asyncio.Event().wait()
        finally:
            await listening.stop()


async def _load(embedder: Embedder) -> None:
    """Let the first search not wait for the model; where it does not answer, that search will say so."""
    try:
        await embedder.embed(["ready"])
    except EmbeddingUnavailable as away:
        log.warning("the embedder does not answer", cause=away)


def _limiter(settings: Settings) -> RateLimiter | None:
    if not settings.rate_limit_rps:
        return None
    return RateLimiter(rps=settings.rate_limit_rps, burst=settings.rate_limit_burst)


def _endpoints(
    settings: Settings,
    where: Places,
    kernel: Kernel,
    *,
    db: asyncpg.Pool,
    embedder: Embedder,
    others: tuple[Embedder, ...],
    compute: Compute,
    generator: Generator | None,
    index: Index,
    ring: KeyRing,
    roster: Roster,
    readable: Readable,
    hub: Hub,
    name: str,
) -> tuple[Endpoint, ...]:
    condition = Condition(
        nc=kernel.nc,
        db=db,
        streams=contexts.STREAMS,
        counts=contexts.COUNTS,
        roster=roster,
        clock=now,
        name=NAME,
        version=VERSION,
    )

    async def exists(key: Key) -> bool:
        """A read model may be a moment behind the log: ask the log, and wait for what it has."""
        newest = await leader_get(kernel.nc, key.stream, {"last_by_subj": key.filter})
        if newest is None:
            return False
        await readable.catch_up(Position(key.stream, newest.position))
        return True

    async def caught_up(stream: str) -> None:
        """Wait until all that the log has now can be read: for what is no aggregate of its own."""
        await readable.catch_up(Position(stream, await kernel.log.last_position(stream)))

    async def link(call: Call[Any, Any], blob: str, media_type: str, name: str) -> str:
        """Where a blob can be had; our own links get the host by which the caller knows us."""
        url = await kernel.blobs.url(blob, name=name, media_type=media_type)
        return f"{settings.public_url or _origin(call)}{url}" if url.startswith("/") else url

    served = (
        *platform.endpoints(
            condition=condition,
            samples=lambda: {**roster.samples(now()), name: snapshot(kernel.metrics)},
            observe=_lags(kernel),
            blobs=kernel.blobs,
            signing_secret=where.signing_secret,
            clock=now,
        ),
        *wiring.endpoints(
            commands=kernel.commands,
            log=kernel.log,
            db=db,
            blobs=kernel.blobs,
            signals=kernel.signals,
            embedder=embedder,
            embedders={each.name: each for each in (embedder, *others)},
            generator=generator,
            index=index,
            grace=timedelta(seconds=settings.reindex_grace),
            freshness=Freshness(kernel.nc),
            ring=ring,
            hub=hub,
            exists=exists,
            caught_up=caught_up,
            link=link,
            webhook_secret=where.webhook_secret,
            webhook_allow_private=settings.webhook_allow_private,
            clock=now,
        ),
        *compute_routes.endpoints(compute),
        *hub.endpoints(),
    )
    about = {"title": NAME, "version": VERSION, "description": "One event-sourced backend."}
    return (
        *served,
        *descriptions(
            http_document.openapi(served, **about),
            events_document.asyncapi(
                (*channels(contexts.TOPICS, kernel.catalogue), *contexts.CHANNELS), **about
            ),
        ),
    )


def _origin(call: Call[Any, Any]) -> str:
    try:
        return str(call.request.url.origin())
    except ValueError:
        raise Malformed("INVALID_HOST", "The header Host names no host.", field="Host") from None


def _observed(kernel: Kernel) -> Callable[[Exchange], None]:
    def observe(exchange: Exchange) -> None:
        kernel.metrics.requested(exchange.method, exchange.route, exchange.status, exchange.seconds)

    return observe


def _lags(kernel: Kernel) -> Callable[[Figures], None]:
    def observe(figures: Figures) -> None:
        kernel.metrics.lags(
            handlers={
                each.handler: Lag(each.waiting + each.at_work, each.oldest_seconds)
                for each in figures.queues or ()
            },
            projections={
                each.projection: Lag(each.behind, each.lag_seconds) for each in figures.projections or ()
            },
        )
        if figures.counts is not None:
            kernel.metrics.troubled(
                {
                    "dead letters": figures.counts["deadLetters"].get("open", 0),
                    "alerts": figures.counts["alerts"].get("standing", 0),
                }
            )

    return observe


def _hears(roster: Roster) -> Callable[[Msg], Awaitable[None]]:
    async def hear(message: Msg) -> None:
        roster.hear(message.data, now())

    return hear
