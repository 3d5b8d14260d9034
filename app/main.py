"""The composition root: which adapters each kind of process runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
from pgvector.asyncpg import register_vector

from app import contexts, models
from app.api import serve
from app.compute.server import serve as serve_compute
from app.kernel import Kernel, kernel
from app.places import Places
from app.project import project
from app.settings import Settings
from app.work import work
from handlers.notifications.deliveries.deliver import Posts
from handlers.notifications.deliveries.schedule import Schedule
from infra import chunking
from infra.compute.local import LocalCompute
from infra.embedding import Embedder
from infra.read_models import ReadModels
from infra.retrieval import Index, index_of
from infra.retrieval.spaces import Spaces, spaces_of
from infra.telemetry import logs, traces
from infra.webhooks.calling import Caller

Ready = Callable[[str], None]


def index_for(embedder: Embedder) -> Index:
    """The index that this embedder and our chunking fill and ask."""
    return index_of("jobsite", embedder.name, chunking.NAME, embedder.dimensions)


@asynccontextmanager
async def standing(settings: Settings, where: Places, role: str) -> AsyncIterator[Kernel]:
    """Logs, traces and the kernel of one process."""
    logs.setup(settings.log_level, process=role)
    traces.setup(role, str(settings.otel_endpoint) if settings.otel_endpoint else None)
    try:
        async with kernel(settings, where, role) as built:
            yield built
    finally:
        await asyncio.to_thread(traces.shutdown)


@asynccontextmanager
async def database(where: Places, role: str = "serve") -> AsyncIterator[asyncpg.Pool]:
    """Connections for reading. It is made without one, so that a database that is away delays nothing."""
    pool = asyncpg.create_pool(
        where.database,
        min_size=0,
        max_size=10,
        timeout=3,
        command_timeout=10,
        init=_prepare,
        reset=_tidied,
        server_settings={"application_name": f"headwater {role}"},
    )
    try:
        yield await pool
    finally:
        pool.terminate()


async def _prepare(connection: asyncpg.Connection) -> None:
    await register_vector(connection)
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str, format="text")


async def _tidied(connection: asyncpg.Connection) -> None:
    """Whoever reads leaves nothing behind in a session (`set local` ends with its transaction), so asyncpg's
    `reset all`, a round trip for each query, is not needed."""
    if connection.is_in_transaction():
        await connection.reset()


async def run_api(settings: Settings, where: Places, ready: Ready) -> None:
    """`headwater serve`, until cancelled; `ready` is told the URL."""
    async with standing(settings, where, "serve") as built, database(where) as db:
        embedder = await models.embedder(settings)
        others = models.beside(embedder)
        generator, compute = models.generator(settings), LocalCompute(embedder)
        try:
            await serve(
                settings,
                where,
                built,
                db=db,
                embedder=embedder,
                others=others,
                compute=compute,
                generator=generator,
                index=index_for(embedder),
                ready=ready,
            )
        finally:
            for each in (compute, embedder, *others):
                await each.close()
            if generator:
                await generator.close()


async def run_worker(settings: Settings, where: Places) -> None:
    """`headwater work`, until cancelled."""
    async with standing(settings, where, "work") as built, database(where, "work") as db:
        speech, transcriptions = models.speech(settings)
        embedder = await models.embedder(settings)
        others = models.beside(embedder)
        compute = models.compute(settings, embedder)
        generator = models.generator(settings)
        try:
            await work(
                built,
                ReadModels(where.database, built.log, contexts.READ_MODELS),
                posts=posts(settings, where),
                db=db,
                index=index_for(embedder),
                url=str(settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/"),
                speech=speech,
                embedder=compute,
                others=others,
                compute=compute,
                generator=generator,
                context_limit=settings.context_message_limit,
                transcriptions=transcriptions,
                tries=settings.handler_attempts,
                grace=timedelta(seconds=settings.reindex_grace),
                ack_wait=settings.handler_ack_wait,
            )
        finally:
            await speech.close()
            for each in (compute, embedder, *others):
                await each.close()
            if generator:
                await generator.close()


async def run_compute(settings: Settings, ready: Ready) -> None:
    """`headwater compute`, until cancelled."""
    logs.setup(settings.log_level, process="compute")
    embedder = await models.embedder(settings)
    compute = LocalCompute(embedder)
    try:
        await serve_compute(settings, compute, ready)
    finally:
        for each in (compute, embedder):
            await each.close()


def posts(settings: Settings, where: Places) -> Posts:
    """What leaves the house by mail and by webhook."""
    return Posts(
        mailer=models.mailer(settings),
        caller=Caller(allow_private=settings.webhook_allow_private),
        schedule=Schedule(first=settings.delivery_backoff),
        webhook_secret=where.webhook_secret,
        recipients=settings.smtp_to,
    )


async def run_projector(settings: Settings, where: Places) -> None:
    """`headwater project`, until cancelled."""
    async with standing(settings, where, "project") as built:
        await project(built, where, *await indexes_for_settings(settings))


async def indexes_for_settings(settings: Settings) -> tuple[Index, Spaces]:
    """The index of recordings and the spaces of documents, without keeping the models that make their vectors."""
    embedder = await models.embedder(settings)
    every = (embedder, *models.beside(embedder))
    try:
        return index_for(embedder), spaces_of(every)
    finally:
        for each in every:
            await each.close()
