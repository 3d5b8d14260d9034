"""Reading single messages of a stream: from any replica, many at once, or from the leader, which knows the newest."""

import asyncio
from base64 import b64decode
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.jetstream import ApiError, LogUnavailable, api, reaching_nats
from infra.wire import headers_of

NO_MESSAGE = 10037
TIME = "Nats-Time-Stamp"
"""The header by which a direct get tells when a message was stored."""
PAGE = 1000
"""Messages of a subject that are asked for at once."""


class Stored(NamedTuple):
    """A message as a stream holds it."""

    stream: str
    position: int
    subject: str
    payload: bytes
    headers: dict[str, str]

    @property
    def time(self) -> datetime:
        """When the stream took it; to the microsecond, of the nanoseconds that JetStream tells."""
        return datetime.fromisoformat(self.headers[TIME][:26].rstrip("Z") + "+00:00")


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

    with reaching_nats():
        subscription = await nc.subscribe(f"{inbox}.*", cb=collect)
        try:
            for n, query in enumerate(queries):
                ask = msgspec.json.encode(query)
                await nc.publish(f"$JS.API.DIRECT.GET.{stream}", ask, reply=f"{inbox}.{n}")
            if queries:
                async with asyncio.timeout(timeout):
                    await done
        finally:
            if not nc.is_closed:
                await subscription.unsubscribe()
    return found


async def direct_all(nc: Client, stream: str, subject: str, *, timeout: float = 5.0) -> list[Stored]:
    """Every message of one subject, in order, as one of the stream's replicas has them. Raises `LogUnavailable`."""
    found: list[Stored] = []
    while True:
        page, left = await _page(nc, stream, subject, found[-1].position + 1 if found else 1, timeout)
        found += page
        if not page or not left:
            return found


async def _page(
    nc: Client, stream: str, subject: str, start: int, timeout: float
) -> tuple[list[Stored], int]:
    """The next messages of a subject, and how many are left behind them."""
    if not nc.is_connected:
        raise LogUnavailable("the connection to NATS is down")
    inbox, page = nc.new_inbox(), list[Stored]()
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def collect(message: Msg) -> None:
        headers = message.headers or {}
        if done.done():
            return
        if headers.get("Status") in {"204", "404"}:  # the end of the page, or nothing there
            done.set_result(int(headers.get("Nats-Num-Pending", "0")))
            return
        try:
            if stored := _direct(stream, message):
                page.append(stored)
        except (LogUnavailable, ApiError) as failure:
            done.set_exception(failure)

    with reaching_nats():
        subscription = await nc.subscribe(inbox, cb=collect, pending_msgs_limit=0, pending_bytes_limit=0)
        try:
            ask = msgspec.json.encode({"seq": start, "next_by_subj": subject, "batch": PAGE})
            await nc.publish(f"$JS.API.DIRECT.GET.{stream}", ask, reply=inbox)
            async with asyncio.timeout(timeout):
                return page, await done
        finally:
            if not nc.is_closed:
                await subscription.unsubscribe()


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
    headers = headers_of(b64decode(found.get("hdrs", ""))) | {TIME: found["time"]}
    return Stored(stream, found["seq"], found["subject"], b64decode(found.get("data", "")), headers)
