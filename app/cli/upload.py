"""`headwater upload FILE…`: recordings, and what belongs to them, through the API of a Headwater anywhere."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from tqdm import tqdm

from app.cli.asked import here, moment, uuid_of
from app.client import Headwater, HeadwaterError
from app.client.files import Progress
from app.identity.keys import kept_key
from app.jobsite.views import UploadStatus
from app.settings import Settings
from handlers.refusals import Invalid

AT_ONCE = 3
"""Files on their way at the same time."""
LOOK = 0.5
"""Seconds between two looks at how far a recording is."""
OVER = {"completed", "failed", "deleted"}


async def upload(settings: Settings, asked: argparse.Namespace) -> int:
    """Upload each file; 1 when any of them was refused, could not be sent or, with `--wait`, failed."""
    _check([*asked.files, *asked.attach])
    async with Headwater(url_of(settings, asked.url), key_of(settings, asked.key)) as headwater:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(path: Path) -> bool:
            async with gate:
                return await _upload(headwater, path, asked)

        good = await asyncio.gather(*(one(Path(each)) for each in asked.files))
    return 0 if all(good) else 1


def _check(paths: list[str]) -> None:
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise Invalid("NO_SUCH_FILE", f"There is no file {', '.join(missing)}.")


def url_of(settings: Settings, chosen: str | None) -> str:
    return chosen or str(settings.public_url or here(settings))


def key_of(settings: Settings, chosen: str | None) -> str:
    key = chosen or settings.api_key or kept_key(settings.home)
    if not key:
        raise Invalid("NO_KEY", f"There is no API key in {settings.home}. Give --key, or set API_KEY.")
    return str(key)


async def _upload(headwater: Headwater, path: Path, asked: argparse.Namespace) -> bool:
    try:
        with _bar(path.name) as progress:
            taken = await headwater.upload(
                path,
                title=asked.title,
                job_id=uuid_of(asked.job) if asked.job else None,
                recorded_at=moment(asked.recorded),
                notify_email=asked.notify,
                key=uuid4().hex if asked.again else None,
                progress=progress,
            )
        for each in map(Path, asked.attach):
            with _bar(f"{path.name} + {each.name}") as progress:
                await headwater.attach(each, session_id=taken.session_id, progress=progress)
        status = await _watched(headwater, path.name, taken.session_id) if asked.wait else None
    except (HeadwaterError, OSError, ValueError) as failure:
        again = " `--again` does so." if getattr(failure, "code", "") == "DELETED_SINCE" else ""
        tqdm.write(f"{path}: {failure}{again}", file=sys.stderr)
        return False
    tqdm.write(f"{taken.session_id}  {status.status if status else 'accepted':<9}  {path}", file=sys.stdout)
    return status is None or _good(status, path)


def _good(status: UploadStatus, path: Path) -> bool:
    for stage in status.stages:
        if stage.state == "failed" and stage.error:
            tqdm.write(f"{path}: {stage.stage} failed: {stage.error.detail}", file=sys.stderr)
    return status.status == "completed"


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A bar on a terminal; silence where nobody looks."""
    with tqdm(desc=name[:40], unit="B", unit_scale=True, unit_divisor=1024, disable=None, leave=False) as bar:

        def progress(sent: int, total: int) -> None:
            bar.total = total
            bar.update(sent - bar.n)

        yield progress


async def _watched(headwater: Headwater, name: str, session_id: UUID) -> UploadStatus:
    """Wait for the end of all stages."""
    with tqdm(desc=name[:40], unit="stage", disable=None, leave=False) as bar:
        while True:
            status = await headwater.status(session_id)
            bar.total = len(status.stages)
            bar.n = round(sum(stage.progress for stage in status.stages) / 100, 2)
            at_work = [stage.stage for stage in status.stages if stage.state == "processing"]
            bar.set_postfix_str(", ".join(at_work))
            if status.status in OVER:
                return status
            await asyncio.sleep(LOOK)
