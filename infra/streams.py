"""The streams of the log: how each should be, making the missing ones, telling where one has drifted."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nats.aio.client import Client

from infra.jetstream import ApiError, LogUnavailable, api, patiently

NO_SUCH_STREAM = 10059
NO_PEERS = 10005
SECOND = 1_000_000_000
SIGNALS_KEPT = 15 * 60
"""Seconds a signal on `LIVE` can still be read: long enough for the progress of a stage between two attempts."""


@dataclass(frozen=True)
class Drift:
    """One setting of a stream that is not as it should be."""

    stream: str
    setting: str
    expected: object
    actual: object

    def __str__(self) -> str:
        return f"{self.stream}: {self.setting} is {self.actual!r}, should be {self.expected!r}"


def lasting_stream(name: str, description: str, subjects: list[str], replicas: int) -> dict[str, Any]:
    """A stream that keeps what it has taken for ever, on disk, and refuses rather than drops when it is full."""
    return {
        "name": name,
        "description": description,
        "subjects": subjects,
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msgs_per_subject": -1,
        "num_replicas": replicas,
        "allow_direct": True,
    }


def context_stream(context: str, replicas: int) -> dict[str, Any]:
    """The stream of a context: every event."""
    description = f"Every event of the context {context}, for ever"
    return {
        **lasting_stream(context.upper(), description, [f"{context}.>"], replicas),
        "compression": "s2",
        "allow_atomic": True,
        "duplicate_window": 120 * SECOND,
    }


def live_stream(replicas: int = 1) -> dict[str, Any]:
    """Signals that are worth something for minutes only: progress, heartbeats, tokens, typing, presence.

    As many replicas as the rest: without the only node that has it, no process could be started.
    """
    return {
        "name": "LIVE",
        "description": "Signals of the last minutes: progress, heartbeats, tokens, typing, presence",
        "subjects": ["live.>"],
        "storage": "memory",
        "retention": "limits",
        "discard": "old",
        "max_msgs": -1,
        "max_bytes": 256 << 20,
        "max_age": SIGNALS_KEPT * SECOND,
        "max_msgs_per_subject": -1,
        "num_replicas": replicas,
        "allow_direct": True,
    }


def all_streams(contexts: Iterable[str], replicas: int) -> list[dict[str, Any]]:
    """Every stream that these contexts need."""
    return [*(context_stream(context, replicas) for context in contexts), live_stream(replicas)]


async def prepare(nc: Client, wanted: Iterable[dict[str, Any]]) -> list[Drift]:
    """Make the streams that are missing. What exists is left as it is; where it differs is returned.

    Any number of processes may do so at once. Raises `LogUnavailable`, or `ApiError` for what no server would make.
    """
    drifts: list[Drift] = []
    for config in wanted:
        drifts += _drifts(config, await patiently(partial(_found_or_made, nc, config)))
    return drifts


async def compare(nc: Client, wanted: Iterable[dict[str, Any]]) -> tuple[list[str], list[Drift]]:
    """The names of the streams that are missing, and where the others differ. Changes nothing."""
    missing: list[str] = []
    drifts: list[Drift] = []
    for config in wanted:
        actual = await _found(nc, config["name"])
        if actual is None:
            missing.append(config["name"])
        else:
            drifts += _drifts(config, actual)
    return missing, drifts


def _drifts(config: dict[str, Any], actual: dict[str, Any]) -> list[Drift]:
    return [
        Drift(config["name"], setting, expected, actual.get(setting, False))
        for setting, expected in config.items()
        if actual.get(setting, False) != expected
    ]


async def _found_or_made(nc: Client, config: dict[str, Any]) -> dict[str, Any]:
    found = await _found(nc, config["name"])
    return found if found is not None else dict((await _made(nc, config))["config"])


async def _found(nc: Client, name: str) -> dict[str, Any] | None:
    try:
        return dict((await api(nc, f"STREAM.INFO.{name}"))["config"])
    except ApiError as refused:
        if refused.code != NO_SUCH_STREAM:
            raise
        return None


async def _made(nc: Client, config: dict[str, Any]) -> dict[str, Any]:
    try:
        return await api(nc, f"STREAM.CREATE.{config['name']}", config, timeout=5.0)
    except ApiError as refused:
        if refused.code == NO_PEERS:
            raise LogUnavailable(f"too few nodes are there for {config['name']}: {refused}") from refused
        raise
