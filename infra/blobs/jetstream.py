"""What the object store needs beyond nats-py: batch direct gets, and one error for all that is unreachable."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.blobs import BlobsUnavailable
from infra.jetstream import ApiError


@contextmanager
def reaching_jetstream() -> Iterator[None]:
    """Turn what nats-py raises into BlobsUnavailable."""
    try:
        yield
    except BlobsUnavailable:
        raise
    except (nats.errors.Error, ApiError, TimeoutError, OSError) as error:
        detail = str(error).removeprefix("nats: ") or type(error).__name__
        raise BlobsUnavailable(f"JetStream could not serve a blob ({detail}). Try again shortly.") from error


async def direct_get(nc: Client, stream: str, request: dict[str, object], *, timeout: float) -> list[Msg]:
    """The messages that answer a batch direct get. No consumer is made; any replica may answer, even a late one."""
    answers: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = nc.new_inbox()
    messages: list[Msg] = []
    with reaching_jetstream():
        subscription = await nc.subscribe(inbox, cb=answers.put)
        try:
            await nc.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox)
            while True:
                async with asyncio.timeout(timeout):
                    message = await answers.get()
                match (message.headers or {}).get("Status"):
                    case None:
                        messages.append(message)
                    case "204" | "404":  # the end of the batch; nothing to be had
                        return messages
                    case status:
                        raise BlobsUnavailable(f"JetStream refused to read {stream} (status {status}).")
        finally:
            await subscription.unsubscribe()


def position_of(message: Msg) -> int:
    """Where in its stream a message lies that a direct get brought."""
    return int((message.headers or {})["Nats-Sequence"])
