"""What every process stands on: the connections, the log, commands, blobs and signals, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.client import Client

from app import contexts
from app.places import Places
from app.settings import Settings
from events.catalogue import Catalogue
from handlers.commands import Commands
from infra import jetstream, streams
from infra.blobs import Blobs
from infra.blobs.objects import ObjectBlobs
from infra.jetstream import ApiError, LogUnavailable
from infra.log import Log
from infra.signals import Signals
from infra.streams import Drift
from infra.telemetry.logs import logger
from infra.telemetry.metrics import Metrics
from infra.wire import Connection

log = logger(__name__)


def now() -> datetime:
    """The only clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Kernel:
    """The shared adapters of one process."""

    nc: Connection
    eraser: Connection
    catalogue: Catalogue
    log: Log
    commands: Commands
    blobs: Blobs
    signals: Signals
    metrics: Metrics
    drifts: tuple[Drift, ...]


@asynccontextmanager
async def kernel(settings: Settings, where: Places, role: str) -> AsyncIterator[Kernel]:
    """Connect, make the streams that are missing, and let go of everything at the end.

    Raises `LogUnavailable` when there is no log: nothing works without it.
    """
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        open_, back = True, asyncio.Event()

        def heard(event: str) -> None:
            if open_:
                log.warning("connection to nats changed", event=event)
            if event == "reconnected":
                back.set()

        async def connect(url: str, name: str) -> Connection:
            nc = await jetstream.connect(url, name=name, on_event=heard)
            stack.push_async_callback(_close, nc)
            return nc

        nc = await connect(where.nats, f"headwater {role}")
        eraser = await connect(where.eraser, f"headwater {role} eraser")
        wanted = streams.all_streams(contexts.NAMES, settings.stream_replicas)
        drifts = await streams.prepare(nc, wanted)
        for drift in drifts:
            log.warning("stream has drifted", drift=str(drift))
        blobs = blob_store(settings, where, nc, eraser)
        stack.push_async_callback(blobs.close)
        await blobs.prepare()
        catalogue = Catalogue(contexts.EVENTS, contexts.UPCASTS)
        events = Log(nc, catalogue)
        commands = Commands(events, contexts.DECIDERS, metrics=metrics, blobs=blobs)
        restoring = asyncio.create_task(
            _restore_signals(nc, back, settings.stream_replicas), name="restore signals"
        )
        stack.callback(restoring.cancel)
        try:
            yield Kernel(nc, eraser, catalogue, events, commands, blobs, Signals(nc), metrics, tuple(drifts))
        finally:
            open_ = False


async def _close(nc: Client) -> None:
    """Close a connection; one whose server has gone may have nothing left to close, which its client takes amiss."""
    with suppress(RuntimeError, OSError):
        await nc.close()


async def _restore_signals(nc: Client, back: asyncio.Event, replicas: int) -> None:
    """Make `LIVE` again after each reconnection: a single server that was restarted forgets what was in its memory."""
    while True:
        await back.wait()
        back.clear()
        try:
            await streams.prepare(nc, [streams.live_stream(replicas)])
        except (LogUnavailable, ApiError) as away:
            log.warning("the stream of signals could not be made", cause=away)


def blob_store(settings: Settings, where: Places, nc: Client, eraser: Client) -> Blobs:
    """S3 when it is set, else the JetStream object store."""
    if s3 := settings.s3:
        from infra.blobs.s3 import S3Blobs  # noqa: PLC0415 (0.2 s and 20 MB that only its users should pay)

        return S3Blobs(
            bucket=s3.bucket,
            endpoint=str(s3.endpoint) if s3.endpoint else None,
            region=s3.region,
            access_key=str(s3.access_key),
            secret_key=str(s3.secret_key),
            use_path_style=s3.path_style,
            ttl=s3.presign_ttl,
        )
    return ObjectBlobs(nc, eraser, secret=where.signing_secret, replicas=settings.stream_replicas)
