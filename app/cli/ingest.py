"""`headwater ingest PATH…`: files and whole folders into a collection, each once, whatever it is called."""

import argparse
import asyncio
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from uuid import UUID

import msgspec
from tqdm import tqdm

from app.cli.upload import answering, key_of, url_of
from app.client import Headwater, HeadwaterError, Refused
from app.http.forms import SLUG
from app.knowledge.uploads import metadata_of
from app.knowledge.views import KnownDocument
from app.settings import Settings
from handlers.refusals import Invalid

AT_ONCE = 4
"""Files on their way at the same time."""
ASKED = 500
"""Hashes asked about together."""
LOOK = 0.5
"""Seconds between two looks at how far the documents are."""
UNFOUND = {"failed", "cancelled"}
OVER = {"completed", *UNFOUND}


LOOKED_AT = 20
"""Documents looked at together: those that came first are over first."""


class Tally(msgspec.Struct):
    """What became of the files."""

    uploaded: int = 0
    there: int = 0
    bad: int = 0

    def fault(self, path: Path | str, why: object) -> None:
        """One that cannot be sent costs no other."""
        self.bad += 1
        tqdm.write(f"{_legible(path)}: {_legible(why)}", file=sys.stderr)


async def ingest(settings: Settings, asked: argparse.Namespace) -> int:
    """Upload what is not there yet; 1 when a file was refused, could not be sent, or failed: before, or with `--wait`
    now."""
    metadata_of(asked.metadata)
    tally = Tally()
    files = list(dict.fromkeys(_files(asked.paths, asked.pattern, asked.exclude, tally)))
    try:
        return await _ingest(settings, files, asked, tally)
    except HeadwaterError as failure:
        print(failure, file=sys.stderr)
        return 1


async def _ingest(settings: Settings, files: Sequence[Path], asked: argparse.Namespace, tally: Tally) -> int:
    url, key = url_of(settings, asked.url), key_of(settings, asked.key)
    await answering(url, key)
    async with Headwater(url, key) as headwater:
        await _collection(headwater, asked)
        new, waiting = await _new(headwater, asked.collection, files, tally)
        waiting |= await _upload(headwater, new, asked, tally)
        if asked.wait:
            tally.bad += await _watched(headwater, waiting)
    print(f"{tally.uploaded} uploaded, {tally.there} there already, {tally.bad} not taken or failed")
    return 1 if tally.bad else 0


def _files(
    paths: Sequence[str], patterns: Sequence[str], excluded: Sequence[str], tally: Tally
) -> Iterator[Path]:
    """The files that are meant, folders with all that is in them but what is hidden, or no file (a pipe, a link to
    nowhere). Links to folders are not followed. Raises `Invalid`."""

    def closed(error: OSError) -> None:
        tally.fault(error.filename, error.strerror)

    for path in map(Path, paths):
        if path.is_file():
            yield path
            continue
        if not path.is_dir():
            raise Invalid("NO_SUCH_FILE", f"There is no file or folder {path}.")
        for folder, inner, names in os.walk(path, onerror=closed):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names):
                wanted = not patterns or any(fnmatch(name, each) for each in patterns)
                if wanted and not name.startswith(".") and not any(fnmatch(name, each) for each in excluded):
                    file = Path(folder) / name
                    if file.is_file():
                        yield file


async def _collection(headwater: Headwater, asked: argparse.Namespace) -> None:
    """It must be there; with `--create` it is made when it is not."""
    if not asked.create:
        try:
            await headwater.knowledge.collection(asked.collection)
        except Refused as refused:
            if refused.code != "COLLECTION_NOT_FOUND":
                raise
            raise Refused(refused.status, refused.code, f"{refused.detail} `--create` makes it.") from None
        return
    if not re.match(SLUG, asked.collection):
        words = "lower-case letters, digits, - and _, as in site-plans"
        raise Invalid("INVALID_NAME", f"{asked.collection!r} cannot be a collection's name: it has {words}.")
    try:
        await headwater.knowledge.create_collection(asked.collection)
    except Refused as refused:
        if refused.code != "NAME_TAKEN":
            raise


async def _new(
    headwater: Headwater, collection: str, files: Sequence[Path], tally: Tally
) -> tuple[list[Path], dict[UUID, Path]]:
    """Those whose content the collection does not have; of files with the same content, the first. And by their
    ingestions those which it has, but cannot be found yet. What failed before is there, but nobody will find it."""
    by_hash: dict[str, list[Path]] = {}
    under_way: dict[UUID, Path] = {}
    for path in tqdm(files, desc="looking", unit="file", disable=None, leave=False):
        try:
            digest = await asyncio.to_thread(_hash, path)
        except OSError as failure:
            tally.fault(path, failure.strerror)
            continue
        by_hash.setdefault(digest, []).append(path)
    hashes = list(by_hash)
    for n in range(0, len(hashes), ASKED):
        for each in (await headwater.knowledge.known(collection, hashes[n : n + ASKED])).known:
            paths = by_hash.pop(each.sha256, [])
            if each.status in UNFOUND:
                for path in paths:
                    tally.fault(path, _ended(each))
                continue
            tally.there += len(paths)
            if each.status not in OVER:
                under_way[each.ingestion_id] = paths[0]
    tally.there += sum(len(paths) - 1 for paths in by_hash.values())
    return [paths[0] for paths in by_hash.values()], under_way


def _ended(known: KnownDocument) -> str:
    """How a document that is there has come to nothing, and which one it is."""
    why = f": {known.error.detail}" if known.error else ""
    return f"{known.status} before{why} (document {known.document_id})"


def _legible(text: object) -> str:
    """As it can be printed: names of files need not be in UTF-8."""
    return str(text).encode(errors="replace").decode()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _upload(
    headwater: Headwater, files: Sequence[Path], asked: argparse.Namespace, tally: Tally
) -> dict[UUID, Path]:
    """The files by their ingestions."""
    accepted: dict[UUID, Path] = {}
    gate = asyncio.Semaphore(AT_ONCE)
    total = sum(path.stat().st_size for path in files if path.is_file())
    with tqdm(
        total=total, desc="uploading", unit="B", unit_scale=True, unit_divisor=1024, disable=None
    ) as bar:

        async def one(path: Path) -> None:
            sent = 0

            def progress(now: int, _: int) -> None:
                nonlocal sent
                bar.update(now - sent)
                sent = now

            async with gate:
                try:
                    taken = await headwater.knowledge.upload(
                        path,
                        collection=asked.collection,
                        strategy=asked.strategy,
                        size=asked.size,
                        overlap=asked.overlap,
                        metadata=metadata_of(asked.metadata),
                        progress=progress,
                    )
                except (HeadwaterError, OSError, ValueError) as failure:
                    tally.fault(path, failure)
                    return
            tally.uploaded += 1
            accepted.update({each.ingestion_id: path for each in taken.documents})
            tqdm.write(f"{taken.documents[0].document_id}  {_legible(path)}", file=sys.stdout)

        await asyncio.gather(*(one(each) for each in files))
    return accepted


async def _watched(headwater: Headwater, waiting: dict[UUID, Path]) -> int:
    """Wait for the end of every ingestion; how many did not end well."""
    bad = 0
    with tqdm(total=len(waiting), desc="ingesting", unit="document", disable=None) as bar:
        while waiting:
            for id, path in list(waiting.items())[:LOOKED_AT]:
                try:
                    told = await headwater.knowledge.ingestion(id)
                except Refused as gone:
                    del waiting[id]
                    bad += 1
                    tqdm.write(f"{_legible(path)}: {gone}", file=sys.stderr)
                    continue
                if told.status not in OVER:
                    continue
                del waiting[id]
                bar.update()
                if told.status != "completed":
                    bad += 1
                    why = next((each.error.detail for each in told.stages if each.error), told.status)
                    tqdm.write(f"{_legible(path)}: {why}", file=sys.stderr)
            if waiting:
                await asyncio.sleep(LOOK)
    return bad
