"""`headwater migrate` and `headwater rebuild`."""

import argparse
import asyncio
import sys
from collections.abc import Callable

import asyncpg
from tqdm import tqdm

from app import contexts
from app.kernel import Kernel
from app.main import indexes_for_settings, standing
from app.places import Places, places
from app.project import fetching
from app.settings import Settings
from handlers.refusals import Invalid
from projections import checkpoints, schema
from projections.projection import Projection
from projections.rebuild import BeingRebuilt, Report
from projections.rebuild import rebuild as rebuild_model


async def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Make the schemas that are missing, rebuild those of an older shape."""
    where = places(settings)
    async with standing(settings, where, "migrate") as kernel:
        await migrated(settings, where, kernel, say=print)
    return 0


async def migrated(settings: Settings, where: Places, kernel: Kernel, *, say: Callable[[str], None]) -> None:
    """What `migrate` does, and `up` at its start. Whoever comes second waits for who is at it."""
    projections = contexts.projections(*await indexes_for_settings(settings))
    try:
        connection = await asyncpg.connect(where.database, timeout=10)
    except OSError as away:
        raise ConnectionError(f"the database does not answer: {str(away) or 'no word in time'}") from away
    try:
        stale = await schema.migrate(connection, projections)
    finally:
        await connection.close()
    for projection in projections:
        if projection.name in stale:
            say(f"{projection.name} has another shape now: rebuilding it from the log")
            await _in_this_shape(projection, where, kernel)
    say(f"read models are there: {', '.join(each.name for each in projections)}")


async def _in_this_shape(projection: Projection, where: Places, kernel: Kernel) -> None:
    while await _is_stale(projection, where):
        try:
            await rebuild_model(projection, log=kernel.log, dsn=where.database, fetch=fetching(kernel.blobs))
        except BeingRebuilt:
            await asyncio.sleep(1)


async def _is_stale(projection: Projection, where: Places) -> bool:
    connection = await checkpoints.connect(where.database)
    try:
        stands = await checkpoints.read(connection, projection.name)
    finally:
        connection.terminate()
    return stands is None or stands.fingerprint != projection.fingerprint


async def rebuild(settings: Settings, asked: argparse.Namespace) -> int:
    """Rebuild read models; 1 when a table that should be the same is not."""
    where = places(settings)
    async with standing(settings, where, "rebuild") as kernel:
        projections = {
            each.name: each for each in contexts.projections(*await indexes_for_settings(settings))
        }
        if asked.projection != "all" and asked.projection not in projections:
            raise Invalid(
                "UNKNOWN_PROJECTION",
                f"There is no read model {asked.projection}; there are {', '.join(projections)}.",
            )
        chosen = projections.values() if asked.projection == "all" else [projections[asked.projection]]
        reports = [await _rebuilt(each, where, kernel, dry_run=asked.dry_run) for each in chosen]
    return 1 if asked.dry_run and any(report.differing for report in reports) else 0


async def _rebuilt(projection: Projection, where: Places, kernel: Kernel, *, dry_run: bool) -> Report:
    with tqdm(total=0, unit=" positions", desc=projection.name, file=sys.stderr, disable=None) as bar:

        def progress(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        report = await rebuild_model(
            projection,
            log=kernel.log,
            dsn=where.database,
            fetch=fetching(kernel.blobs),
            dry_run=dry_run,
            progress=progress,
        )
    done = "swapped in" if report.swapped else "compared only"
    print(f"{report.projection} at {projection.stream}@{report.position}: {report.events} events, {done}")
    for each in report.tables:
        rows, checksum = each.after
        if each.before is None:
            verdict = "new shape"
        elif each.same:
            verdict = "the same"
        else:
            verdict = f"DIFFERS: served {each.before[0]} rows, checksum {each.before[1]}"
        print(f"  {each.table:<24} {rows:>9} rows  checksum {checksum:>24}  {verdict}")
    return report
