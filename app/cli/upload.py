"""`headwater upload FILE…`: recordings, and what belongs to them, through the API of a Headwater anywhere."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from tqdm import tqdm

from app.cli.asked import here, moment, uuid_of
from app.client import Headwater, HeadwaterError, Patience, Unreachable
from app.client.files import Progress
from app.identity.keys import kept_key
from app.jobsite.views import UploadStatus
from app.settings import Settings
from handlers.refusals import Invalid

AT_ONCE = 3
"""Files on their way at the same time."""
LOOK = 0.5
"""Seconds between two looks at how far a recording is."""
STAGES = "{desc} {bar:30} {percentage:3.0f} %{postfix}  {elapsed}"
SHORT = Patience(attempts=3, first=0.3, timeout=10)
OVER = {"completed", "failed", "deleted"}


async def upload(settings: Settings, asked: argparse.Namespace) -> int:
    """Upload each file; 1 when any of them was refused, could not be sent or, with `--wait`, failed."""
    _check([*asked.files, *asked.attach])
    url, key = url_of(settings, asked.url), key_of(settings, asked.key)
    await answering(url, key)
    async with Headwater(url, key) as headwater:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(path: Path) -> bool:
            async with gate:
                return await _upload(headwater, path, asked)

        good = await asyncio.gather(*(one(Path(each)) for each in asked.files))
    return 0 if all(good) else 1


def _check(paths: list[str]) -> None:
    if folders := [path for path in paths if Path(path).is_dir()]:
        raise Invalid("NO_FILE", f"{', '.join(folders)} is a folder: name the recordings in it.")
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise Invalid("NO_SUCH_FILE", f"There is no file {', '.join(missing)}.")


def url_of(settings: Settings, chosen: str | None) -> str:
    url = chosen or str(settings.public_url or here(settings))
    if not url.startswith(("http://", "https://")):
        raise Invalid("INVALID_URL", f"{url!r} is no address of a Headwater; {here(settings)} would be.")
    return url


async def answering(url: str, key: str) -> None:
    """Say at once that nothing is there. Later, a network that breaks is waited for."""
    async with Headwater(url, key, patience=SHORT) as headwater:
        try:
            await headwater.transport.get("/v1/health/live", dict[str, str])
        except Unreachable as away:
            raise Invalid(
                "NOTHING_ANSWERS",
                f"Nothing answers at {url}: is Headwater running there? `make run` starts it, --url says where it is. "
                f"({away.cause})",
            ) from None


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
        attached: dict[Path, UUID] = {}
        for each in map(Path, asked.attach):
            with _bar(f"{path.name} + {each.name}") as progress:
                made = await headwater.attach(each, session_id=taken.session_id, progress=progress)
            attached[each] = made.attachment_id
        status = await _watched(headwater, path.name, taken.session_id) if asked.wait else None
    except (HeadwaterError, OSError, ValueError) as failure:
        again = " `--again` does so." if getattr(failure, "code", "") == "DELETED_SINCE" else ""
        tqdm.write(f"{path}: {failure}{again}", file=sys.stderr)
        return False
    tqdm.write(f"{taken.session_id}  {status.status if status else 'accepted':<9}  {path}", file=sys.stdout)
    return status is None or (_good(status, path) & await _read(headwater, attached))


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


async def _read(headwater: Headwater, attached: Mapping[Path, UUID]) -> bool:
    """Wait until the files that were attached are read, or are known to be unreadable."""
    good = True
    for path, id in attached.items():
        found = await headwater.attachment(id)
        while found.status not in OVER:
            await asyncio.sleep(LOOK)
            found = await headwater.attachment(id)
        if found.status != "completed":
            good = False
            reason = f"{found.error.code}: {found.error.detail}" if found.error else found.status
            tqdm.write(f"{path}: {reason}", file=sys.stderr)
    return good


async def _watched(headwater: Headwater, name: str, session_id: UUID) -> UploadStatus:
    """Wait for the end of all stages."""
    with tqdm(total=100, desc=name[:40], bar_format=STAGES, disable=None, leave=False) as bar:
        while True:
            status = await headwater.status(session_id)
            bar.n = sum(stage.progress for stage in status.stages) // max(1, len(status.stages))
            at_work = [stage.stage for stage in status.stages if stage.state == "processing"]
            bar.set_postfix_str(", ".join(at_work))
            if status.status in OVER:
                return status
            await asyncio.sleep(LOOK)
