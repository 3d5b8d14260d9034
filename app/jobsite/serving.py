"""All of `jobsite` over HTTP, put together."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from app.http.endpoints import Endpoint
from app.jobsite import (
    again,
    attaching,
    attachments,
    builders,
    correcting,
    deleting,
    discrepancies,
    items,
    job_reads,
    jobs,
    reports,
    routes,
    suggesting,
)
from app.jobsite.overview import Overview
from app.jobsite.past import Past
from app.jobsite.sights import Sights
from app.search.routes import Link
from events.envelope import Key
from handlers.commands import Commands
from infra.blobs import Blobs
from infra.log import Log
from infra.signals import Signals
from projections.projection import Projection


def endpoints(
    *,
    commands: Commands,
    log: Log,
    db: asyncpg.Pool,
    blobs: Blobs,
    signals: Signals,
    model: Projection,
    exists: Callable[[Key], Awaitable[bool]],
    link: Link,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """Recordings, files, jobs, and what follows from them. `model` is their read model, for the past."""
    past = Past(log, blobs, model)
    return (
        *routes.endpoints(
            commands=commands,
            db=db,
            blobs=blobs,
            signals=signals,
            exists=exists,
            link=link,
            sights=Sights(db, past, link),
            clock=clock,
        ),
        *builders.endpoints(commands=commands, db=db, clock=clock),
        *jobs.endpoints(commands=commands, clock=clock),
        *job_reads.endpoints(db=db, overview=Overview(db, past), clock=clock),
        *items.endpoints(commands=commands, db=db, clock=clock),
        *discrepancies.endpoints(commands=commands, db=db, clock=clock),
        *correcting.endpoints(commands=commands, blobs=blobs, clock=clock),
        *suggesting.endpoints(commands=commands, clock=clock),
        *attaching.endpoints(commands=commands, log=log, blobs=blobs, clock=clock),
        *attachments.endpoints(db=db, blobs=blobs, signals=signals, exists=exists, link=link, clock=clock),
        *reports.endpoints(commands=commands, db=db, blobs=blobs, exists=exists, clock=clock),
        *again.endpoints(commands=commands, log=log, db=db, blobs=blobs, clock=clock),
        *deleting.endpoints(commands=commands, clock=clock),
    )
