"""Spans leave over OTLP/HTTP, in batches from a thread; a collector that is away costs spans and one warning."""

import logging
import os
import socket
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from infra.telemetry.logs import logger

log = logger(__name__)

CHATTY = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal")
"""Libraries' loggers that complain about every lost batch, and every lost span, in words of their own."""


def provider(role: str, exporter: SpanExporter) -> TracerProvider:
    """Makes recorded spans of this process. The sampler (by default: as the parent was, roots always), batch sizes
    and further resource attributes follow OpenTelemetry's own environment variables."""
    resource = Resource.create(
        {
            "service.namespace": "headwater",
            "service.name": f"headwater-{role}",
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    made = TracerProvider(resource=resource, shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


def exporter(endpoint: str) -> SpanExporter:
    """Sends to the collector at a base URL such as `http://localhost:4318`."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return _Calm(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"), endpoint)


class _Calm(SpanExporter):
    """Says once that the collector does not take spans, and once that it does again."""

    def __init__(self, inner: SpanExporter, endpoint: str) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._well = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        well = result is SpanExportResult.SUCCESS
        if self._well and not well:
            log.warning("traces are being lost", endpoint=self._endpoint, spans=len(spans))
        elif well and not self._well:
            log.info("traces are exported again", endpoint=self._endpoint)
        self._well = well
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()
