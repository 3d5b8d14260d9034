"""What waits in the log: every durable consumer's depth and age, and how far each stream has come."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from nats.aio.client import Client

from infra import jetstream, stored


class Queue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The events that wait for one handler."""

    handler: str
    stream: str
    waiting: int
    """Not given out yet."""
    at_work: int
    """Given out, not answered yet: at work, or waiting for their next attempt."""
    oldest_seconds: float
    """Age of the oldest event that is not answered; 0 when there is none."""


async def queues(nc: Client, streams: Iterable[str]) -> list[Queue]:
    """Every durable consumer of these streams. Raises `LogUnavailable`."""
    found = await asyncio.gather(*(_consumers(nc, stream) for stream in streams))
    return await asyncio.gather(*(_queue(nc, info) for consumers in found for info in consumers))


async def heads(nc: Client, streams: Iterable[str]) -> dict[str, int]:
    """The newest position of each stream. Raises `LogUnavailable`."""
    asked = list(streams)
    infos = await asyncio.gather(*(jetstream.api(nc, f"STREAM.INFO.{stream}") for stream in asked))
    return {stream: info["state"]["last_seq"] for stream, info in zip(asked, infos, strict=True)}


async def age(nc: Client, stream: str, after: int, filter: str = ">") -> float:
    """Seconds since the first message behind a position was stored; 0 when there is none."""
    (message,) = await stored.direct_get(nc, stream, {"seq": after + 1, "next_by_subj": filter})
    if message is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - message.time).total_seconds())


async def _consumers(nc: Client, stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await jetstream.api(nc, f"CONSUMER.LIST.{stream}", {"offset": len(found)})
        found += page["consumers"] or []
        if not page["consumers"] or len(found) >= page["total"]:
            return [info for info in found if info["config"].get("durable_name")]


async def _queue(nc: Client, info: dict[str, Any]) -> Queue:
    stream, waiting, at_work = info["stream_name"], info["num_pending"], info["num_ack_pending"]
    filter = info["config"].get("filter_subject") or ">"
    busy = waiting or at_work
    return Queue(
        handler=info["name"],
        stream=stream,
        waiting=waiting,
        at_work=at_work,
        oldest_seconds=round(await age(nc, stream, info["ack_floor"]["stream_seq"], filter), 1)
        if busy
        else 0.0,
    )


class State(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stream as an operator sees it."""

    stream: str
    subjects: str
    messages: int
    size: int
    """Bytes on its storage."""
    first: int
    last: int
    """Positions."""
    replicas: int
    storage: str


async def states(nc: Client, streams: Iterable[str]) -> list[State]:
    """These streams as they are. Raises `LogUnavailable`."""
    infos = [await jetstream.api(nc, f"STREAM.INFO.{stream}") for stream in streams]
    return [
        State(
            stream=info["config"]["name"],
            subjects=" ".join(info["config"]["subjects"]),
            messages=info["state"]["messages"],
            size=info["state"]["bytes"],
            first=info["state"]["first_seq"],
            last=info["state"]["last_seq"],
            replicas=info["config"]["num_replicas"],
            storage=info["config"]["storage"],
        )
        for info in infos
    ]
