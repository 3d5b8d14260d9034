"""What telemetry tests look at: the lines of a logger, the spans of this process."""

import json
import logging
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.telemetry import traces
from infra.telemetry.logs import JsonLines, Logger

Lines = list[dict[str, Any]]


class Journal:
    """A logger whose lines can be read."""

    def __init__(self) -> None:
        self.stream = BytesIO()
        self.inner = logging.Logger("journal", logging.DEBUG)
        self.inner.addHandler(JsonLines(self.stream, process="test"))
        self.log = Logger(self.inner)

    @property
    def text(self) -> str:
        return self.stream.getvalue().decode()

    @property
    def lines(self) -> Lines:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def spans() -> Iterator[Callable[[], dict[str, ReadableSpan]]]:
    """Records spans from here on; call it to end that and get them by name."""
    exporter = InMemorySpanExporter()
    traces.setup("test", None, exporter=exporter)

    def finished() -> dict[str, ReadableSpan]:
        traces.shutdown()
        return {span.name: span for span in exporter.get_finished_spans()}

    yield finished
    traces.shutdown()
