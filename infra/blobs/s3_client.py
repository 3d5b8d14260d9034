"""How we talk to S3: any maker's, with sane timeouts and few retries."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import aioboto3
from botocore.config import Config


def s3_client(
    *,
    endpoint: str | None,
    region: str,
    access_key: str,
    secret_key: str,
    use_path_style: bool,
    timeout: float,
) -> AbstractAsyncContextManager[Any]:
    """A client to be entered once and kept. `timeout`, in seconds, is for one attempt of three."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if use_path_style else "virtual"},
        connect_timeout=min(timeout, 5.0),
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        # Other makers' stores do not know the checksums that Amazon's have by default.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client: AbstractAsyncContextManager[Any] = aioboto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=config,
    )
    return client
