"""The JetStream wire: connecting, API requests, publishing. What nats-py lacks or does too slowly for us."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, NoRespondersError

from infra.wire import Connection

CONNECTED_WITHIN = 5.0
"""Seconds in which a first connection is tried again and again."""

PATIENCE = 8.0
"""Seconds a write goes on trying with the same ids: longer than a cluster takes to elect a leader."""

TOO_LARGE = 10054
INCOMPLETE_BATCH = 10176
GONE = frozenset({10037, 10043, 10057})
"""There is no such message to delete."""
WRONG_LAST = frozenset({10071, 10164})
"""What was expected to be the newest message is not."""
BUSY = frozenset({409, 429})
"""The same message is being stored, or too many others are."""

T = TypeVar("T")


class LogUnavailable(ConnectionError):
    """JetStream did not answer in time: nothing is known of the request. Ask again with the same id."""


class ApiError(Exception):
    """JetStream refused. `code` is its stable error code (10059: no such stream, 10071: wrong last sequence …)."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code
        self.description = description


class _Error(msgspec.Struct, frozen=True):
    code: int = 0
    err_code: int = 0
    description: str = ""


class Ack(msgspec.Struct, frozen=True):
    """JetStream's answer to a publish."""

    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    error: _Error | None = None


_ack = msgspec.json.Decoder(Ack)


async def connect(url: str, *, name: str, on_event: Callable[[str], None] = lambda _: None) -> Connection:
    """A connection that never stops trying to come back. Raises `LogUnavailable` when it cannot be made at first.

    `url` may name several servers, separated by commas. `on_event` hears "disconnected" and "reconnected".
    """
    client = Connection()
    servers = url.split(",")
    login = urlsplit(servers[0])

    async def disconnected() -> None:
        if not client.is_closed:  # when we close it ourselves, that is no news
            on_event("disconnected")

    async def reconnected() -> None:
        on_event("reconnected")

    async def error(_: Exception) -> None:
        """Without this nats-py prints; what matters reaches the caller as a failed request."""

    try:
        async with asyncio.timeout(CONNECTED_WITHIN):  # nats-py would never give up
            await client.connect(
                servers,
                name=name,
                user=login.username and unquote(login.username),  # also where the servers tell of others
                password=login.password and unquote(login.password),
                connect_timeout=int(CONNECTED_WITHIN),
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,  # type: ignore[arg-type]  # a sleep like any other
                ping_interval=10,
                max_outstanding_pings=2,
                pending_size=16 << 20,
                disconnected_cb=disconnected,
                reconnected_cb=reconnected,
                error_cb=error,
            )
    except (NatsError, OSError, TimeoutError) as failure:
        cause = client.last_error or failure
        await client.close()
        raise LogUnavailable(f"no NATS server lets us in: {str(cause) or type(cause).__name__}") from failure
    return client


async def api(nc: Client, subject: str, body: object = None, *, timeout: float = 2.0) -> dict[str, Any]:
    """One request to `$JS.API.<subject>`. Raises `ApiError` or `LogUnavailable`."""
    answer = await request(
        nc, f"$JS.API.{subject}", b"" if body is None else msgspec.json.encode(body), timeout=timeout
    )
    decoded: dict[str, Any] = msgspec.json.decode(answer.data)
    if error := decoded.get("error"):
        if error.get("code") == 503:
            raise LogUnavailable(f"JetStream is not ready: {error.get('description')}")
        raise ApiError(error.get("err_code", 0), error.get("description", "refused"))
    return decoded


@dataclass(frozen=True)
class Message:
    """What is published: subject, payload, headers."""

    subject: str
    payload: bytes
    headers: dict[str, str]

    def expect(self, last: int, filter: str) -> None:
        """Refuse it (10071) unless `last` is the position of the newest message that matches `filter`."""
        self.headers["Nats-Expected-Last-Subject-Sequence"] = str(last)
        self.headers["Nats-Expected-Last-Subject-Sequence-Subject"] = filter


async def publish(nc: Client, message: Message, *, timeout: float = 2.0) -> Ack:
    """Publish and wait until the stream has it. Raises `ApiError` or `LogUnavailable`."""
    answer = await request(nc, message.subject, message.payload, headers=message.headers, timeout=timeout)
    ack = _ack.decode(answer.data)
    if error := ack.error:
        if error.code >= 500 or error.code in BUSY or error.err_code == INCOMPLETE_BATCH:
            raise LogUnavailable(f"JetStream could not store it: {error.description} ({error.err_code})")
        raise ApiError(error.err_code, error.description)
    return ack


async def publish_batch(nc: Client, messages: Sequence[Message], *, timeout: float = 2.0) -> Ack:
    """Publish all or nothing (NATS ADR-50): nothing is stored before the last, which asks for the commit."""
    batch = uuid4().hex
    for n, message in enumerate(messages, start=1):
        headers = {**message.headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(n)}
        if n == len(messages):
            return await publish(
                nc,
                Message(message.subject, message.payload, {**headers, "Nats-Batch-Commit": "1"}),
                timeout=timeout,
            )
        with reaching_nats():
            await nc.publish(message.subject, message.payload, headers=headers)
    raise ValueError("an empty batch")


async def erase_message(eraser: Client, stream: str, position: int) -> None:
    """Overwrite one message of a stream, on disk too; gone already is as good. Only the eraser's user may."""
    try:
        await api(eraser, f"STREAM.MSG.DELETE.{stream}", {"seq": position, "no_erase": False})
    except ApiError as refused:
        if refused.code not in GONE:
            raise


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again, with the same message ids, while JetStream does not answer; `LogUnavailable` after `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.05
    while True:
        try:
            return await attempt()
        except LogUnavailable:
            if time.monotonic() + pause > deadline:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, 1.0)


async def request(
    nc: Client, subject: str, payload: bytes, *, headers: dict[str, str] | None = None, timeout: float
) -> Msg:
    """A NATS request whose every transport failure is `LogUnavailable`."""
    if not nc.is_connected:
        raise LogUnavailable("the connection to NATS is down")
    with reaching_nats():
        # Not nats-py's timeout: in Python 3.11 `wait_for` forgets a cancellation that comes together with the answer.
        async with asyncio.timeout(timeout):
            return await nc.request(subject, payload, timeout=None, headers=headers)  # type: ignore[arg-type]


@contextmanager
def reaching_nats() -> Iterator[None]:
    """Turns what nats-py raises into `LogUnavailable`; a message that no server would take into an `ApiError`."""
    try:
        yield
    except NoRespondersError as failure:
        raise LogUnavailable("nobody answers there: the stream is missing or has no leader") from failure
    except MaxPayloadError as failure:
        raise ApiError(TOO_LARGE, "the message is larger than the server takes") from failure
    except (NatsError, OSError, TimeoutError) as failure:
        raise LogUnavailable(f"NATS did not answer: {str(failure) or type(failure).__name__}") from failure
