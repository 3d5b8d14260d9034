"""The projector process: every read model kept up to date, with an alert when one cannot be."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from app import contexts
from app.kernel import Kernel, now
from app.places import Places
from events.envelope import Event, Intent, Recorded
from events.ids import derived_id, new_id
from handlers.commands import Command
from handlers.operations.decide import ClearAlert, RaiseAlert
from handlers.refusals import Unavailable
from infra.blobs import OWN, BlobMissing, Blobs
from infra.retrieval import Index
from infra.retrieval.spaces import Spaces
from infra.telemetry.heartbeat import beat, first_beat
from infra.telemetry.logs import logger
from projections.batch import Fetch, Halted
from projections.projection import Projection
from projections.runtime import Observer, Projector

log = logger(__name__)

ALERTS = UUID("51c3a1f4-4f3a-5a39-8d0e-2f8f6f3a9d12")
"""Name space of alert ids: one projection has one alert."""


def fetching(blobs: Blobs) -> Fetch:
    """How projections get blobs: one that was erased has no content."""

    async def fetch(key: str) -> bytes | None:
        try:
            return await blobs.get(key, OWN)
        except BlobMissing:
            return None

    return fetch


async def project(kernel: Kernel, where: Places, index: Index, spaces: Spaces) -> None:
    """Run every projection until cancelled."""
    observer = _observer(kernel)
    async with asyncio.TaskGroup() as group:
        for projection in contexts.projections(index, spaces):
            projector = Projector(
                projection,
                log=kernel.log,
                dsn=where.database,
                fetch=fetching(kernel.blobs),
                observer=observer,
            )
            group.create_task(projector.run(), name=f"project {projection.name}")
        group.create_task(
            beat(kernel.nc.publish, first=first_beat("project", now()), metrics=kernel.metrics, clock=now)
        )
        log.info("projecting")


def _observer(kernel: Kernel) -> Observer:
    """Counts what is applied; a projection that halts is an alert until it goes on."""

    def applied(projection: Projection, events: Sequence[Recorded[Event]], _: int, seconds: float) -> None:
        kernel.metrics.projected(projection.name, len(events), seconds)

    async def halted(projection: Projection, why: Halted) -> None:
        log.error("projection halted", projection=projection.name, position=why.position, cause=str(why))
        kernel.metrics.halted(projection.name, True)
        detail = f"{projection.stream}@{why.position} cannot be applied: {why}"
        await _tell(
            kernel,
            RaiseAlert(
                alert_id=derived_id(ALERTS, projection.name),
                kind="projection_halted",
                subject=f"projection {projection.name}",
                detail=detail,
            ),
        )

    async def resumed(projection: Projection) -> None:
        log.info("projection is sound", projection=projection.name)
        kernel.metrics.halted(projection.name, False)
        await _tell(kernel, ClearAlert(alert_id=derived_id(ALERTS, projection.name)))

    return Observer(applied=applied, halted=halted, resumed=resumed)


async def _tell(kernel: Kernel, command: Command) -> None:
    command_id = new_id()
    intent = Intent(command_id=command_id, actor="projector", at=now(), correlation_id=command_id)
    try:
        await kernel.commands.execute(command, intent)
    except Unavailable as away:
        log.warning("alert could not be recorded", cause=str(away))
