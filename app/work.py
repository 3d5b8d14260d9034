"""The worker process: every handler's events, and the redriving of dead letters."""

import asyncio
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial

import asyncpg

from app import contexts, wiring
from app.kernel import Kernel, now
from app.knowledge.grace import drop_overdue
from app.operations.tidying import discard_moot
from handlers.answering import Answering
from handlers.attempts import Attempts
from handlers.consumers import Consumer
from handlers.handler import Handler
from handlers.notifications.deliveries.deliver import Posts
from handlers.operations.burial import bury, redriver
from handlers.operations.erasing import erasers, forgetters
from handlers.refusals import Refusal
from infra.blobs import Blobs
from infra.blobs.expecting import expecting
from infra.compute import Compute
from infra.custody import Custody
from infra.embedding import Embedder
from infra.generation import Generator
from infra.read_models import NotReadable, ReadModels
from infra.retrieval import Index
from infra.scratch import sweep_scratch
from infra.speech import Speech
from infra.telemetry.heartbeat import beat, first_beat
from infra.telemetry.logs import logger

log = logger(__name__)

ABANDONED = timedelta(days=1)
"""Age from which what an upload has left without finishing is taken for abandoned."""
AT_ONCE = 500
"""Blobs asked about together."""
TIDY_EVERY = 60.0
"""Seconds between two looks for dead letters that nothing is left to do about."""
SWEEP_EVERY = 3600.0
"""Seconds between two looks for what uploads that died have left in the blob store."""


async def work(
    kernel: Kernel,
    models: ReadModels,
    *,
    posts: Posts,
    db: asyncpg.Pool,
    index: Index,
    url: str,
    speech: Speech,
    embedder: Embedder,
    others: tuple[Embedder, ...],
    compute: Compute,
    generator: Generator | None,
    context_limit: int,
    transcriptions: int,
    tries: int,
    grace: timedelta,
    ack_wait: float,
) -> None:
    """Run every handler until cancelled. `url` is the API's; `tries` and `ack_wait` (seconds) are as set."""
    custody = Custody(models, kernel.blobs)
    answering = Answering(kernel.commands, now, let_go=custody.let_go)
    made = wiring.handlers(
        log=kernel.log,
        db=db,
        signals=kernel.signals,
        index=index,
        read_models=models,
        url=url,
        blobs=expecting(kernel.blobs, kernel.log),
        posts=posts,
        speech=speech,
        commands=kernel.commands,
        embedder=embedder,
        embedders={each.name: each for each in (embedder, *others)},
        compute=compute,
        generator=generator,
        context_limit=context_limit,
        clock=now,
        transcriptions=transcriptions,
    )
    erasing = (
        *erasers(contexts.EVENTS, log=kernel.log, custody=custody, eraser=kernel.eraser),
        *forgetters(contexts.EVENTS, custody=custody),
    )
    handlers = [replace(each, attempts=tries) for each in (*made, *erasing)]
    redrive = redriver({each.name: each for each in handlers}, log=kernel.log, answering=answering)
    consumers = [_consumer(each, kernel, answering, ack_wait) for each in (*handlers, redrive)]
    async with asyncio.TaskGroup() as group:
        for consumer in consumers:
            group.create_task(consumer.run(), name=f"handle {consumer.handler.name}")
        group.create_task(_sweep(kernel.blobs, custody), name="sweep blobs")
        group.create_task(_drop_overdue(kernel, models, grace), name="drop overdue indexes")
        stages = [each.name for each in handlers if each.give_up]
        group.create_task(_tidy(kernel, models, stages), name="tidy dead letters")
        group.create_task(
            beat(
                kernel.nc.publish,
                first=first_beat("work", now()),
                metrics=kernel.metrics,
                clock=now,
                facts=lambda: {
                    "atWork": {each.handler.name: each.at_work for each in consumers if each.at_work}
                },
            )
        )
        log.info("working", handlers=len(consumers))


def _consumer(handler: Handler, kernel: Kernel, answering: Answering, ack_wait: float) -> Consumer:
    attempts = Attempts(
        handler,
        catalogue=kernel.catalogue,
        answering=answering,
        bury=partial(bury, commands=kernel.commands, clock=now),
        signals=kernel.signals,
        metrics=kernel.metrics,
        clock=now,
    )
    return Consumer(handler, attempts, nc=kernel.nc, ack_wait=ack_wait)


async def _sweep(blobs: Blobs, custody: Custody) -> None:
    """Remove now and then what was left behind: by processes and uploads that died, and blobs that no event names."""
    while True:
        try:
            if left := await asyncio.to_thread(sweep_scratch, ABANDONED):
                log.info("files of killed processes removed", folders=left)
            if swept := await blobs.sweep(ABANDONED):
                log.info("abandoned uploads removed", uploads=swept)
            old = [key async for key in blobs.aged(ABANDONED)]
            for n in range(0, len(old), AT_ONCE):
                if erased := (await custody.release(old[n : n + AT_ONCE])).erased:
                    log.info("blobs that nobody names removed", blobs=len(erased))
        except ConnectionError as away:
            log.warning("the blob store could not be swept", cause=away)
        await asyncio.sleep(SWEEP_EVERY)


async def _drop_overdue(kernel: Kernel, models: ReadModels, grace: timedelta) -> None:
    """End grace periods: the index before a promotion is dropped."""
    while True:
        try:
            if dropped := await drop_overdue(models, kernel.commands, grace=grace, clock=now):
                log.info("indexes from before a promotion dropped", indexes=dropped)
        except (NotReadable, Refusal) as away:
            log.warning("overdue indexes could not be dropped", cause=away)
        await asyncio.sleep(max(1.0, min(60.0, grace.total_seconds() / 4)))


async def _tidy(kernel: Kernel, models: ReadModels, stages: Collection[str]) -> None:
    """Put away what is said to have failed about what is no more, or has been done since."""
    while True:
        await asyncio.sleep(TIDY_EVERY * random.uniform(0.5, 1.0))
        try:
            moot = await discard_moot(
                models, kernel.commands, staged=contexts.STAGED, stages=stages, clock=now
            )
            if moot:
                log.info("dead letters that nothing is left to do about discarded", letters=moot)
        except (NotReadable, Refusal) as away:
            log.warning("dead letters could not be tidied", cause=away)
