"""What S3 can answer or fail to answer, in the words of the blob store."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from infra.blobs import BlobMissing, BlobsUnavailable


class RangeEmpty(ValueError):
    """The range begins where the object has ended."""


MISSING = ("404", "NoSuchKey", "NotFound")


@contextmanager
def reaching_s3(key: str = "") -> Iterator[None]:
    """Turn what the S3 client raises into BlobMissing or BlobsUnavailable."""
    try:
        yield
    except BlobsUnavailable:
        raise
    except ClientError as error:
        code = error_code(error)
        if code in MISSING:
            raise BlobMissing(f"There is no blob {key}.") from error
        if code == "InvalidRange":
            raise RangeEmpty from error
        raise BlobsUnavailable(
            f"S3 refused a request ({code}). Check the bucket, the keys and what they may do."
        ) from error
    except (BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise BlobsUnavailable(
            f"S3 cannot be reached ({type(error).__name__}). Try again shortly."
        ) from error


def error_code(error: ClientError) -> str:
    """S3's name for what is wrong; the status when there is none."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))
