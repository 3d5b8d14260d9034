"""Finding what dead uploads and half-done deletions have left in a bucket."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from infra.blobs.jetstream import direct_get, position_of, reaching_jetstream
from infra.blobs.object_bucket import Bucket
from infra.blobs.object_info import ObjectInfo, decoded
from infra.jetstream import api
from infra.stored import leader_get

PAGE = 256


async def sweep(bucket: Bucket, older_than: timedelta) -> int:
    """Remove chunks without metadata whose last one is older than that, and finish deletions. How many."""
    # Uploads first, metadata second: one that ends in between is then seen to have ended.
    abandoned = {subject async for subject in _uploads(bucket)}
    removed = 0
    async for info, position in _described(bucket):
        abandoned.discard(bucket.chunks(info.nuid))
        if info.deleted:
            await bucket.erase(info, position)
            removed += 1
    for subject in abandoned:
        if await _age(bucket, subject) > older_than:
            await bucket.purge(subject.rpartition(".")[2])
            removed += 1
    return removed


async def aged(bucket: Bucket, older_than: timedelta) -> AsyncIterator[str]:
    """Keys of blobs that were stored longer ago than that, and of doomed ones."""
    before = datetime.now(UTC) - older_than
    async for info, _ in _described(bucket):
        if not info.deleted and (info.doomed or datetime.fromisoformat(info.mtime) < before):
            yield info.name


async def _uploads(bucket: Bucket) -> AsyncIterator[str]:
    """The chunk subjects that have messages."""
    offset, total = 0, 1
    while offset < total:
        request = {"subjects_filter": bucket.chunks("*"), "offset": offset}
        with reaching_jetstream():
            page = await api(bucket.nc, f"STREAM.INFO.{bucket.stream}", request, timeout=bucket.timeout)
        subjects = page["state"].get("subjects", {})
        for subject in subjects:
            yield subject
        offset, total = offset + max(len(subjects), 1), page.get("total", 0)


async def _described(bucket: Bucket) -> AsyncIterator[tuple[ObjectInfo, int]]:
    """All metadata, with where it lies."""
    position = 0
    while True:
        request = {"seq": position + 1, "batch": PAGE, "next_by_subj": f"$O.{bucket.name}.M.*"}
        messages = await direct_get(bucket.nc, bucket.stream, request, timeout=bucket.timeout)
        for message in messages:
            position = position_of(message)
            yield decoded(message.data), position
        if not messages:
            return


async def _age(bucket: Bucket, subject: str) -> timedelta:
    """How long ago the last chunk was stored; nothing when there is none any more."""
    with reaching_jetstream():
        newest = await leader_get(bucket.nc, bucket.stream, {"last_by_subj": subject})
    return datetime.now(UTC) - newest.time if newest else timedelta()
