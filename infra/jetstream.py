"""The JetStream wire: connecting, API requests, direct reads. What nats-py lacks or does too slowly for us."""

import asyncio
import random
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

CONNECTED_WITHIN = 5.0
"""Seconds a first connection may take."""

PATIENCE = 8.0
"""Seconds a write goes on trying with the same ids: longer than a cluster takes to elect a leader."""

NO_MESSAGE = 10037

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


async def connect(url: str, *, name: str, on_event: Callable[[str], None] = lambda _: None) -> Client:
    """A connection that never stops trying to come back. Raises `LogUnavailable` when the first try fails.

    `on_event` hears "disconnected" and "reconnected".
    """

    async def disconnected() -> None:
        on_event("disconnected")

    async def reconnected() -> None:
        on_event("reconnected")

    async def error(_: Exception) -> None:
        """Without this nats-py prints; what matters reaches the caller as a failed request."""

    try:
        return await nats.connect(
            url,
            name=name,
            connect_timeout=int(CONNECTED_WITHIN),
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            ping_interval=10,
            max_outstanding_pings=2,
            pending_size=16 << 20,
            disconnected_cb=disconnected,
            reconnected_cb=reconnected,
            error_cb=error,
        )
    except (NatsError, OSError, TimeoutError) as failure:
        raise LogUnavailable(f"no NATS server answers: {failure or type(failure).__name__}") from failure


async def api(nc: Client, subject: str, body: object = None, *, timeout: float = 2.0) -> dict[str, Any]:
    """One request to `$JS.API.<subject>`. Raises `ApiError` or `LogUnavailable`."""
    answer = await request(
        nc, f"$JS.API.{subject}", b"" if body is None else msgspec.json.encode(body), timeout=timeout
    )
    decoded: dict[str, Any] = msgspec.json.decode(answer.data)
    if error := decoded.get("error"):
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
    if ack.error:
        raise ApiError(ack.error.err_code, ack.error.description)
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
        await nc.publish(message.subject, message.payload, headers=headers)
    raise ValueError("an empty batch")


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
    try:
        return await nc.request(subject, payload, timeout=timeout, headers=headers)
    except NoRespondersError as failure:
        raise LogUnavailable(
            "no JetStream answers there: the stream is missing or has no leader"
        ) from failure
    except (NatsError, OSError, TimeoutError) as failure:
        raise LogUnavailable(f"NATS did not answer: {failure or type(failure).__name__}") from failure


class Stored(NamedTuple):
    """A message as a stream holds it."""

    stream: str
    position: int
    subject: str
    payload: bytes
    headers: dict[str, str]


async def direct_get(
    nc: Client, stream: str, *queries: dict[str, Any], timeout: float = 5.0
) -> list[Stored | None]:
    """One message for each query, in the order of the queries; None where there is none (or not yet, on a replica).

    A query is `{"seq": 17}` or `{"last_by_subj": "live.process.*"}`. All of them are in flight at once.
    """
    if not nc.is_connected:
        raise LogUnavailable("the connection to NATS is down")
    inbox = nc.new_inbox()
    found: list[Stored | None] = [None] * len(queries)
    waiting = len(queries)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def collect(message: Msg) -> None:
        nonlocal waiting
        waiting -= 1
        try:
            found[int(message.subject.rsplit(".", 1)[1])] = _direct(stream, message)
        except (LogUnavailable, ApiError) as failure:
            if not done.done():
                done.set_exception(failure)
        if not waiting and not done.done():
            done.set_result(None)

    subscription = await nc.subscribe(f"{inbox}.*", cb=collect)
    try:
        for n, query in enumerate(queries):
            await nc.publish(f"$JS.API.DIRECT.GET.{stream}", msgspec.json.encode(query), reply=f"{inbox}.{n}")
        if queries:
            await asyncio.wait_for(done, timeout)
    except (NatsError, TimeoutError) as failure:
        raise LogUnavailable(f"{stream} could not be read: {failure or type(failure).__name__}") from failure
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()
    return found


def _direct(stream: str, message: Msg) -> Stored | None:
    headers = message.headers or {}
    match headers.get("Status"):
        case None:
            position = int(headers["Nats-Sequence"])
            return Stored(stream, position, headers["Nats-Subject"], message.data, headers)
        case "404":
            return None
        case "503":
            raise LogUnavailable(f"{stream} has no leader now, or does not exist")
        case status:
            raise ApiError(int(status), f"{stream} could not be read: {headers.get('Description', status)}")


async def leader_get(nc: Client, stream: str, query: dict[str, Any]) -> Stored | None:
    """One message from the stream's leader, which knows the newest; a direct get may ask a replica that does not."""
    try:
        found = (await api(nc, f"STREAM.MSG.GET.{stream}", query))["message"]
    except ApiError as refused:
        if refused.code == NO_MESSAGE:
            return None
        raise
    lines = b64decode(found.get("hdrs", "")).decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Stored(stream, found["seq"], found["subject"], b64decode(found.get("data", "")), headers)
