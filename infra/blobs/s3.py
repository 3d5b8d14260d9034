"""Blobs in a bucket of any S3-compatible store."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.blobs import KEY, Blob, BlobMissing, BlobsUnavailable, BlobTooLarge
from infra.blobs.disposition import content_disposition
from infra.blobs.intake import Intake, whole
from infra.blobs.noting import note
from infra.blobs.s3_client import s3_client
from infra.blobs.s3_errors import RangeEmpty, error_code, reaching_s3
from infra.blobs.s3_sweep import aged, sweep
from infra.blobs.s3_upload import StagedUpload
from infra.blobs.spool import PIECE, spooled
from infra.blobs.unbroken import Unbroken

PART = 5 << 20
"""Bytes a part: the least that S3 takes."""
ROOM = 4
"""Parts of all uploads together that may be on their way."""
STAGING = "staging/"
DOOMED = "doomed/"
log = logging.getLogger(__name__)


class S3Blobs:
    """The store in S3. Without an endpoint it is Amazon's; presigned links are good for `ttl` seconds."""

    def __init__(
        self,
        *,
        bucket: str,
        endpoint: str | None = None,
        region: str = "us-east-1",
        access_key: str,
        secret_key: str,
        use_path_style: bool = True,
        ttl: int = 3600,
        timeout: float = 20.0,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._ttl = ttl
        self._client = partial(
            s3_client,
            endpoint=endpoint,
            region=region,
            access_key=access_key,
            secret_key=secret_key,
            use_path_style=use_path_style,
            timeout=timeout,
        )
        self._opened = AsyncExitStack()
        self._s3: Any = None
        self._room = asyncio.Semaphore(ROOM)
        self._unbroken = Unbroken()

    async def prepare(self) -> None:
        """Open the client, and make the bucket if there is none."""
        if self._s3 is None:
            self._s3 = await self._opened.enter_async_context(self._client())
        with reaching_s3():
            try:
                await self._s3.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if error_code(error) != "404":
                    raise
                place = {"LocationConstraint": self._region}
                extra = {} if self._region == "us-east-1" else {"CreateBucketConfiguration": place}
                await self._s3.create_bucket(Bucket=self._bucket, **extra)

    async def put(self, chunks: AsyncIterator[bytes], *, media_type: str, limit: int | None = None) -> Blob:
        """Upload to a staging key, then copy to the hash within S3; what fits one part goes there at once."""
        intake = Intake(chunks, limit)
        upload: StagedUpload | None = None
        small: BinaryIO = BytesIO()
        try:
            async with aclosing(spooled(intake, PART // PIECE)) as parts:
                async for part in parts:
                    if upload is None and part.tell() < PART:
                        small = part
                    else:
                        upload = upload or self._stage()
                        await upload.write(part)
            if upload:
                await upload.settle()
        except BaseException:
            small.close()
            if upload:
                await self._unbroken.run(self._clear(upload))
            raise
        blob = intake.blob(media_type)
        note(blob.key)
        return await self._unbroken.run(self._commit(blob, upload) if upload else self._store(blob, small))

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream one ranged GET."""
        if start < 0 or (end or 0) < 0:
            raise ValueError("A range of a blob begins and ends at 0 or later.")
        if end is not None and start >= end:
            await self._expect(key)
            return
        whole_blob = start == 0 and end is None
        span = {} if whole_blob else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        try:
            body = (await self._open(key, **span))["Body"]
        except RangeEmpty:
            return
        async with aclosing(_pieces(body)) as pieces:
            async for piece in pieces:
                yield piece

    async def get(self, key: str, limit: int = 64 << 20) -> bytes:
        """The whole content, hashed as it comes."""
        answer = await self._open(key)
        if answer["ContentLength"] > limit:
            answer["Body"].close()
            raise BlobTooLarge(f"The blob {key} is larger than the {limit} bytes asked for.")
        return await whole(key, _pieces(answer["Body"]))

    async def stat(self, key: str) -> Blob | None:
        """What a HEAD request says."""
        if not KEY.fullmatch(key):
            return None
        head = await self._there(key)
        return head and Blob(key, head["ContentLength"], head["ContentType"])

    async def url(self, key: str, *, name: str, ttl: int | None = None, media_type: str | None = None) -> str:
        """A presigned GET that S3 answers itself."""
        kind = media_type or (await self._expect(key)).media_type
        with reaching_s3(key):
            link = await self._s3.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentType": kind,
                    "ResponseContentDisposition": content_disposition(name, kind),
                },
                ExpiresIn=ttl or self._ttl,
            )
        return str(link)

    async def delete(self, key: str) -> None:
        """Delete the object. In a bucket with versions, let its lifecycle rules remove the old ones."""
        if KEY.fullmatch(key):
            await self._remove(key)
            await self._remove(f"{DOOMED}{key}")

    async def doom(self, key: str) -> None:
        """An empty object beside it says so, also of what is stored under the key from now on."""
        with reaching_s3(key):
            await self._s3.put_object(Bucket=self._bucket, Key=f"{DOOMED}{key}", Body=b"")

    async def erase(self, key: str) -> None:
        """The mark goes last."""
        await self.delete(key)

    async def spare(self, key: str) -> None:
        """Remove what says so."""
        await self._remove(f"{DOOMED}{key}")

    async def stands(self, key: str) -> bool:
        """Two HEAD requests."""
        return await self._there(f"{DOOMED}{key}") is None and await self.stat(key) is not None

    def aged(self, older_than: timedelta) -> AsyncIterator[str]:
        """List the bucket."""
        return aged(self._s3, self._bucket, DOOMED, datetime.now(UTC) - older_than)

    async def sweep(self, older_than: timedelta) -> int:
        """Remove old staging objects and multipart uploads nobody completed."""
        with reaching_s3():
            return await sweep(self._s3, self._bucket, STAGING, datetime.now(UTC) - older_than)

    async def close(self) -> None:
        """Finish what is being tidied up and close the client."""
        await self._unbroken.settle()
        await self._opened.aclose()

    async def _there(self, key: str) -> Any:
        try:
            with reaching_s3(key):
                return await self._s3.head_object(Bucket=self._bucket, Key=key)
        except BlobMissing:
            return None

    async def _remove(self, key: str) -> None:
        with reaching_s3(key):
            await self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _stage(self) -> StagedUpload:
        return StagedUpload(self._s3, bucket=self._bucket, key=f"{STAGING}{uuid4()}", room=self._room)

    async def _expect(self, key: str) -> Blob:
        if blob := await self.stat(key):
            return blob
        raise BlobMissing(f"There is no blob {key}.")

    async def _open(self, key: str, **span: str) -> Any:
        if not KEY.fullmatch(key):
            raise BlobMissing(f"There is no blob {key}.")
        with reaching_s3(key):
            return await self._s3.get_object(Bucket=self._bucket, Key=key, **span)

    async def _store(self, blob: Blob, content: BinaryIO) -> Blob:
        with content, reaching_s3(blob.key):
            if there := await self.stat(blob.key):
                return there
            content.seek(0)
            await self._s3.put_object(
                Bucket=self._bucket, Key=blob.key, Body=content, ContentType=blob.media_type
            )
        return blob

    async def _commit(self, blob: Blob, upload: StagedUpload) -> Blob:
        try:
            if there := await self.stat(blob.key):
                return there
            await upload.complete()
            with reaching_s3(blob.key):
                await self._s3.copy_object(
                    Bucket=self._bucket,
                    Key=blob.key,
                    CopySource={"Bucket": self._bucket, "Key": upload.key},
                    MetadataDirective="REPLACE",
                    ContentType=blob.media_type,
                )
            return blob
        finally:
            await self._clear(upload)

    async def _clear(self, upload: StagedUpload) -> None:
        """Remove what the upload has staged; if that fails, leave it to the sweep."""
        try:
            await upload.abort()
        except BlobsUnavailable:
            log.warning("upload is left to the sweep", extra={"bucket": self._bucket, "staged": upload.key})


async def _pieces(body: Any) -> AsyncGenerator[bytes, None]:
    async with body:
        while True:
            with reaching_s3():
                piece: bytes = await body.read(PIECE)
            if not piece:
                return
            yield piece
