"""Heartbeats: every process says every two seconds that it is there, what it does, and what it has counted."""

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from infra.telemetry.exposition import Samples, snapshot
from infra.telemetry.logs import logger
from infra.telemetry.metrics import Metrics
from infra.telemetry.redaction import plain

log = logger(__name__)

EVERY = 2.0
"""Seconds between two beats."""
MISSED = 3
"""Beats without which a process counts as gone."""
REMEMBERED = 15 * 60
"""Seconds after which a process that is gone is forgotten."""
SUBJECTS = "live.process.*.heartbeat"

Publish = Callable[[str, bytes], Awaitable[None]]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One sign of life. `facts` say what the process is busy with; `samples` are its figures so far."""

    name: str
    """Unlike that of every other process, and fit for a subject."""
    role: str
    host: str
    pid: int
    started_at: datetime
    at: datetime
    every: float = EVERY
    """Seconds until the next."""
    facts: dict[str, Any] = {}
    samples: Samples = ()

    @property
    def subject(self) -> str:
        return f"live.process.{self.name}.heartbeat"


def first_beat(role: str, now: datetime) -> Heartbeat:
    """This process as it introduces itself; later beats differ in `at`, `facts` and `samples`."""
    host, pid = socket.gethostname(), os.getpid()
    name = re.sub(r"[^a-z0-9-]+", "-", f"{role}-{host}-{pid}".lower())
    return Heartbeat(name=name, role=role, host=host, pid=pid, started_at=now, at=now)


async def beat(
    publish: Publish,
    *,
    first: Heartbeat,
    metrics: Metrics,
    clock: Callable[[], datetime],
    facts: Callable[[], Mapping[str, object]] = dict,
) -> None:
    """Publish heartbeats for ever. One that cannot be published is missed, and the next is tried."""
    well = True
    while True:
        try:
            beat = msgspec.structs.replace(first, at=clock(), facts=plain(facts()), samples=snapshot(metrics))
            async with asyncio.timeout(first.every):
                await publish(beat.subject, msgspec.json.encode(beat))
            if not well:
                log.info("heartbeats are published again")
            well = True
        except Exception as failure:
            if well:
                log.warning("heartbeats cannot be published", cause=failure)
            well = False
        await asyncio.sleep(first.every)


class Seen(NamedTuple):
    """A process as it was last heard of, `age` seconds ago."""

    heartbeat: Heartbeat
    age: float

    @property
    def alive(self) -> bool:
        return self.age <= MISSED * self.heartbeat.every


class Roster:
    """The processes that have been heard of, by the listener's clock: those of their hosts may differ."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[Heartbeat, datetime]] = {}

    def hear(self, payload: bytes, now: datetime) -> None:
        """Take in one message of `SUBJECTS`. One that is no heartbeat we understand is ignored."""
        try:
            beat = msgspec.json.decode(payload, type=Heartbeat)
        except ValueError as undecodable:
            log.debug("heartbeat not understood", cause=undecodable)
            return
        self._heard[beat.name] = (beat, now)

    def seen(self, now: datetime) -> list[Seen]:
        """Everyone heard of in the last minutes, by name."""
        every = [Seen(beat, (now - at).total_seconds()) for beat, at in self._heard.values()]
        for gone in (each for each in every if each.age > REMEMBERED):
            del self._heard[gone.heartbeat.name]
        return sorted(
            (each for each in every if each.age <= REMEMBERED), key=lambda each: each.heartbeat.name
        )

    def samples(self, now: datetime) -> dict[str, Samples]:
        """The figures of those alive, by process."""
        return {each.heartbeat.name: each.heartbeat.samples for each in self.seen(now) if each.alive}
