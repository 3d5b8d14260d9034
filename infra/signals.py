"""Signals on `LIVE`: worth something for minutes, published without waiting, the newest readable by subject."""

from typing import Any
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from infra.jetstream import ApiError, LogUnavailable
from infra.stored import direct_get


class Signals:
    """Progress of handlers, one subject each: `live.<aggregate>s.<id>.progress.<handler>`."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def send(self, subject: str, signal: Any) -> None:
        """Publish; when NATS is away the signal is lost, which is what signals may be."""
        if self._nc.is_connected:
            try:
                await self._nc.publish(subject, msgspec.json.encode(signal))
            except NatsError:
                return

    async def latest(self, subjects: list[str]) -> dict[str, bytes]:
        """The newest payload of each subject that has one; nothing when NATS is away."""
        try:
            found = await direct_get(self._nc, "LIVE", *({"last_by_subj": each} for each in subjects))
        except (LogUnavailable, ApiError):
            return {}
        return {each.subject: each.payload for each in found if each}


def progress_subject(aggregate: str, id: UUID, handler: str) -> str:
    """Where a handler tells how far it is with an aggregate."""
    return f"live.{aggregate}s.{id}.progress.{handler}"
