"""Finding what dead uploads have left in an S3 bucket."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from infra.blobs import KEY
from infra.blobs.s3_errors import reaching_s3


async def sweep(s3: Any, bucket: str, prefix: str, before: datetime) -> int:
    """Remove objects and incomplete multipart uploads under the prefix from before that moment. How many."""
    removed = 0
    async for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for upload in page.get("Uploads", []):
            if upload["Initiated"] < before:
                await s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                removed += 1
    async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            if found["LastModified"] < before:
                await s3.delete_object(Bucket=bucket, Key=found["Key"])
                removed += 1
    return removed


async def aged(s3: Any, bucket: str, doomed: str, before: datetime) -> AsyncIterator[str]:
    """Keys of blobs from before that moment, and of those that have a mark under the prefix `doomed`."""
    with reaching_s3():
        async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                name: str = found["Key"]
                if name.startswith(doomed) or (KEY.fullmatch(name) and found["LastModified"] < before):
                    yield name.removeprefix(doomed)
