"""Metrics: what this process counts and times, in a registry of its own."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from infra.telemetry import known_method

AppendOutcome = Literal["ok", "conflict", "duplicate", "error"]
AttemptOutcome = Literal["ok", "retry", "unavailable", "gave_up"]

HTTP_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
APPEND_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
ATTEMPT_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600)


class Lag(NamedTuple):
    """How far something is behind the log."""

    events: int
    seconds: float
    """Age of the oldest of them."""


class Metrics:
    """One process's figures. Label values are few: templates, names from the code, outcomes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        count, time = self._count, self._time
        self._requests = count("http_requests", "HTTP requests answered", "method", "route", "status")
        self._request_seconds = time("http_request", "An HTTP request", HTTP_SECONDS, "method", "route")
        self._appends = count("appends", "Appends to the log", "stream", "outcome")
        self._append_seconds = time("append", "An append until the log answers", APPEND_SECONDS, "stream")
        self._attempts = count("handler_attempts", "Attempts of handlers", "handler", "outcome")
        self._attempt_seconds = time("handler", "One attempt of a handler", ATTEMPT_SECONDS, "handler")
        self._dead_letters = count("dead_letters", "Events given up on", "handler")
        self._projected = count("projection_events", "Events applied to a read model", "projection")
        self._batch_seconds = time(
            "projection_batch", "A batch until its commit", BATCH_SECONDS, "projection"
        )
        self._halted = self._level("projection_halted", "1 when the projection has halted", "projection")
        self._connections = self._level("live_connections", "Live connections open", "kind")
        self._sent = count("live_messages", "Messages sent to live connections")
        self._slow = count("live_closed_slow", "Live connections closed as too slow")
        level = self._level
        self._handler_lag = (
            level("handler_lag_events", "Events yet to be dealt with", "handler"),
            level("handler_lag_seconds", "Age of the oldest of them", "handler"),
        )
        self._projection_lag = (
            level("projection_lag_events", "Events yet to be applied", "projection"),
            level("projection_lag_seconds", "Age of the oldest of them", "projection"),
        )
        self._troubles = level("troubles", "What waits for a person: open dead letters, alerts", "kind")

    def _count(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"headwater_{name}", help, labels, registry=self.registry)

    def _level(self, name: str, help: str, *labels: str) -> Gauge:
        return Gauge(f"headwater_{name}", help, labels, registry=self.registry)

    def _time(self, name: str, help: str, buckets: Sequence[float], *labels: str) -> Histogram:
        name = f"headwater_{name}_duration_seconds"
        return Histogram(name, f"{help}, in seconds", labels, registry=self.registry, buckets=buckets)

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """One HTTP request was answered. `route` is its template, empty when none matched."""
        method, route = known_method(method), route or "unmatched"
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def appended(self, stream: str, outcome: AppendOutcome, seconds: float) -> None:
        """The log answered an append; a conflict counts each time it is met."""
        self._appends.labels(stream, outcome).inc()
        self._append_seconds.labels(stream).observe(seconds)

    def attempted(self, handler: str, outcome: AttemptOutcome, seconds: float) -> None:
        """A handler has finished an attempt."""
        self._attempts.labels(handler, outcome).inc()
        self._attempt_seconds.labels(handler).observe(seconds)

    def buried(self, handler: str) -> None:
        """An event became a dead letter."""
        self._dead_letters.labels(handler).inc()

    def projected(self, projection: str, events: int, seconds: float) -> None:
        """A projection has committed a batch."""
        self._projected.labels(projection).inc(events)
        self._batch_seconds.labels(projection).observe(seconds)

    def halted(self, projection: str, is_halted: bool) -> None:
        """A projection has halted, or runs (again)."""
        self._halted.labels(projection).set(is_halted)

    def connection(self, kind: Literal["ws", "sse"]) -> AbstractContextManager[None]:
        """A live connection, open as long as it is inside."""
        return self._connections.labels(kind).track_inprogress()

    def sent(self, messages: int = 1) -> None:
        """Messages went out to live connections."""
        self._sent.inc(messages)

    def closed_slow(self) -> None:
        """A live connection was closed because its queue was full."""
        self._slow.inc()

    def lags(self, *, handlers: Mapping[str, Lag], projections: Mapping[str, Lag]) -> None:
        """How far each is behind: all that there are, as just asked for. Those not named are gone."""
        for gauges, behind in ((self._handler_lag, handlers), (self._projection_lag, projections)):
            for place, gauge in enumerate(gauges):
                gauge.clear()
                for name, lag in behind.items():
                    gauge.labels(name).set(lag[place])

    def troubled(self, waiting: Mapping[str, int]) -> None:
        """How much waits for a person, by kind, as just asked for."""
        for kind, count in waiting.items():
            self._troubles.labels(kind).set(count)
