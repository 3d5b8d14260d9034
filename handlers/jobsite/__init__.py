"""What follows in `jobsite`: recordings go through their stages, files are read, and what belongs together stays so."""

from collections.abc import Callable
from datetime import datetime

from handlers.handler import Handler
from handlers.jobsite.attachment.following import following
from handlers.jobsite.attachment.stages import stages as attachment_stages
from handlers.jobsite.cascade import cascades
from handlers.jobsite.compare import comparers
from handlers.jobsite.index import indexers
from handlers.jobsite.items import followers
from handlers.jobsite.misheard import forgetters
from handlers.jobsite.notified import notified, unnotified
from handlers.jobsite.reading import Reading
from handlers.jobsite.reconsider import reconsiderers
from handlers.jobsite.report import reporters
from handlers.jobsite.retranscribe import retranscriber
from handlers.jobsite.retry import retrier
from handlers.jobsite.summarise import summarisers
from handlers.jobsite.transcribe import transcriber
from handlers.jobsite.understand import understanders
from infra.blobs import Blobs
from infra.compute import Compute
from infra.embedding import Embedder
from infra.generation import Generator
from infra.log import Log
from infra.read_models import ReadModels
from infra.speech import Speech


def handlers(
    *,
    log: Log,
    models: ReadModels,
    url: str,
    blobs: Blobs,
    speech: Speech,
    embedder: Embedder,
    compute: Compute,
    generator: Generator | None,
    notifier: Handler,
    clock: Callable[[], datetime],
    transcriptions: int,
) -> tuple[Handler, ...]:
    """The handlers of the context. `notifier` does its last stage, so that this can be retried as all others."""
    reading = Reading(models, log, blobs)
    stages = (
        transcriber(blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        *summarisers(reading=reading, blobs=blobs, embedder=embedder, generator=generator, clock=clock),
        *indexers(reading=reading, blobs=blobs, embedder=embedder, clock=clock),
        *reporters(reading=reading, blobs=blobs, url=url, clock=clock),
    )
    return (
        *stages,
        *understanders(blobs=blobs, log=log, generator=generator, clock=clock),
        *attachment_stages(blobs=blobs, compute=compute, log=log, clock=clock),
        *following(log=log, models=models),
        *followers(reading=reading, blobs=blobs),
        notified(),
        unnotified(),
        retrier((*stages, notifier), reading=reading),
        retranscriber(reading=reading, blobs=blobs, speech=speech, clock=clock, concurrency=transcriptions),
        *comparers(reading=reading, blobs=blobs),
        *reconsiderers(reading=reading, models=models, log=log),
        *cascades(models=models, log=log),
        *forgetters(reading=reading, models=models),
    )
