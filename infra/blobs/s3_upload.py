"""One multipart upload to S3 under a staging key: a few parts on their way, nothing left when it fails."""

import asyncio
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from infra.blobs.s3_errors import MISSING, error_code, reaching_s3


class StagedUpload:
    """Begins at once. `room` bounds how many parts of all uploads are on their way."""

    def __init__(self, s3: Any, *, bucket: str, key: str, room: asyncio.Semaphore) -> None:
        self.key = key
        self._s3 = s3
        self._target = {"Bucket": bucket, "Key": key}
        self._room = room
        self._begun: asyncio.Task[str] = asyncio.create_task(self._begin())
        self._parts: list[asyncio.Task[dict[str, Any]]] = []

    async def write(self, part: BinaryIO) -> None:
        """Send a part on its way, and close it then. Raises BlobsUnavailable when one before it failed."""
        try:
            await self._room.acquire()
        except BaseException:
            part.close()
            raise
        self._parts.append(asyncio.create_task(self._send(len(self._parts) + 1, part)))
        for sent in self._parts:
            if sent.done():
                sent.result()

    async def settle(self) -> None:
        """Wait until no part is on its way any more. Raises BlobsUnavailable when one failed."""
        await asyncio.wait((self._begun, *self._parts))
        for sent in self._parts:
            sent.result()

    async def complete(self) -> None:
        """Make one object of the parts, under the staging key."""
        with reaching_s3(self.key):
            await self._s3.complete_multipart_upload(
                **self._target,
                UploadId=self._begun.result(),
                MultipartUpload={"Parts": [sent.result() for sent in self._parts]},
            )

    async def abort(self) -> None:
        """Remove the parts, and the object if they have become one. Raises BlobsUnavailable."""
        await asyncio.wait((self._begun, *self._parts))
        failures = [task.exception() for task in (self._begun, *self._parts)]
        if failures[0]:
            return
        with reaching_s3(self.key):
            try:
                await self._s3.abort_multipart_upload(**self._target, UploadId=self._begun.result())
            except ClientError as error:
                if error_code(error) not in (*MISSING, "NoSuchUpload"):
                    raise
            await self._s3.delete_object(**self._target)

    async def _begin(self) -> str:
        with reaching_s3(self.key):
            return str((await self._s3.create_multipart_upload(**self._target))["UploadId"])

    async def _send(self, number: int, part: BinaryIO) -> dict[str, Any]:
        try:
            part.seek(0)
            upload = await asyncio.shield(self._begun)
            with reaching_s3(self.key):
                sent = await self._s3.upload_part(
                    **self._target, UploadId=upload, PartNumber=number, Body=part
                )
            return {"PartNumber": number, "ETag": sent["ETag"]}
        finally:
            part.close()
            self._room.release()
