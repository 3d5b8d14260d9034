"""A projector or a rebuild in a process of its own, to be killed."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra import jetstream
from infra.log import Log
from projections import checkpoints, runtime
from projections.rebuild import rebuild
from projections.runtime import Projector
from tests.projections.shop import shop
from tests.projections.site import Site, no_blobs


@asynccontextmanager
async def projector_process(site: Site, nats_url: str, *, silent: float = 60) -> AsyncIterator[Process]:
    """Projects the site's shop until it is killed. When it stands still for `silent` seconds, another takes over."""
    async with _process(site, nats_url, "project", silent) as child:
        yield child


@asynccontextmanager
async def rebuild_process(site: Site, nats_url: str) -> AsyncIterator[Process]:
    """Rebuilds the site's shop."""
    async with _process(site, nats_url, "rebuild") as child:
        yield child


@asynccontextmanager
async def _process(site: Site, nats_url: str, job: str, silent: float = 60) -> AsyncIterator[Process]:
    given = {"TEST_NATS": nats_url, "TEST_DSN": site.dsn, "TEST_SHOP": site.shop.context, "TEST_JOB": job}
    given["TEST_SILENT"] = str(silent)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.projections.child", env=os.environ | given, cwd=Path(__file__).parents[2]
    )
    try:
        yield child
    finally:
        await killed(child)


async def killed(child: Process) -> None:
    """End it as a crash would."""
    if child.returncode is None:
        child.kill()
    await child.wait()


async def main() -> None:
    checkpoints.SILENT = float(os.environ["TEST_SILENT"])
    runtime.QUIET = checkpoints.SILENT / 3
    nc = await jetstream.connect(os.environ["TEST_NATS"], name="child")
    projected = shop(os.environ["TEST_SHOP"])
    log = Log(nc, projected.catalogue)
    if os.environ["TEST_JOB"] == "rebuild":
        await rebuild(projected.projection, log=log, dsn=os.environ["TEST_DSN"], fetch=no_blobs)
    else:
        await Projector(projected.projection, log=log, dsn=os.environ["TEST_DSN"], fetch=no_blobs).run()


if __name__ == "__main__":
    asyncio.run(main())
