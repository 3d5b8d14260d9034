"""Signals on `LIVE`: worth something for minutes, published without waiting, the newest readable by subject."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from infra.jetstream import ApiError, LogUnavailable
from infra.stored import direct_all, direct_get

K = TypeVar("K", bound=msgspec.Struct)


class Signals:
    """Progress of handlers, one subject each: `live.<aggregate>s.<id>.progress.<handler>`."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def send(self, subject: str, signal: Any) -> int | None:
        """Publish; when NATS is away the signal is lost, which is what signals may be.

        The number of the connection that it went out on, so that who cares knows that others may be lost, too: with
        the old connection, or with a server that has forgotten. None when there is no connection.
        """
        if not self._nc.is_connected:
            return None
        try:
            await self._nc.publish(subject, msgspec.json.encode(signal))
        except NatsError:
            return None
        return int(self._nc.stats["reconnects"])

    async def past(self, subject: str, kind: type[K]) -> list[K]:
        """The signals of a subject that are still there, in their order. Raises `LogUnavailable`."""
        past = [_read(each.payload, kind) for each in await direct_all(self._nc, "LIVE", subject)]
        return [each for each in past if each is not None]

    @asynccontextmanager
    async def heard(self, subject: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set once something is said there."""
        said = asyncio.Event()

        async def hear(_: Msg) -> None:
            said.set()

        subscription = await self._nc.subscribe(subject, cb=hear)
        try:
            yield said
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def latest(self, subjects: list[str], kind: type[K]) -> dict[str, K]:
        """The newest signal of each subject that has one; nothing when NATS is away."""
        try:
            found = await direct_get(self._nc, "LIVE", *({"last_by_subj": each} for each in subjects))
        except (LogUnavailable, ApiError):
            return {}
        read = {each.subject: _read(each.payload, kind) for each in found if each}
        return {subject: signal for subject, signal in read.items() if signal is not None}


def _read(payload: bytes, kind: type[K]) -> K | None:
    """Nothing where somebody else has said something else."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def progress_subject(aggregate: str, id: UUID, handler: str) -> str:
    """Where a handler tells how far it is with an aggregate."""
    return f"live.{aggregate}s.{id}.progress.{handler}"
