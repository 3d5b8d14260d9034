"""Traces: what caused what, across processes and the log, in OpenTelemetry's terms.

Ids exist with or without a collector, so that the log lines and events of one request can always be put together.
"""

import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from events.envelope import Recorded
from infra.telemetry import known_method
from infra.telemetry.redaction import plain

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

FEW = 20
"""Up to so many traces in a batch get a span of it each; more are only linked to."""
LINKS = 100

_w3c = TraceContextTextMapPropagator()


class _OnlyIds(trace.NoOpTracer):
    """What there is without a collector: spans that have ids, hand them on, and are forgotten."""

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:
        parent = trace.get_current_span(context).get_span_context()
        ids = SpanContext(
            trace_id=parent.trace_id if parent.is_valid else random.getrandbits(128),
            span_id=random.getrandbits(64),
            is_remote=False,
            trace_flags=parent.trace_flags,
            trace_state=parent.trace_state,
        )
        return NonRecordingSpan(ids)


class _Tracing:
    """Where this process's spans go."""

    def __init__(self) -> None:
        self.tracer: trace.Tracer = _OnlyIds()
        self.provider: TracerProvider | None = None


_tracing = _Tracing()


def setup(role: str, endpoint: str | None, *, exporter: "SpanExporter | None" = None) -> None:
    """Send spans to the collector at `endpoint` (OTLP over HTTP, its base URL), or to `exporter`, or nowhere."""
    if endpoint or exporter:
        from infra.telemetry import otlp  # noqa: PLC0415 (half a second and 20 MB that few need)

        _tracing.provider = otlp.provider(role, exporter or otlp.exporter(str(endpoint)))
        _tracing.tracer = _tracing.provider.get_tracer("headwater")


def shutdown(seconds: float = 2.0) -> None:
    """Send what is left, for so long at most; later spans go nowhere. Blocks: in a loop use `asyncio.to_thread`."""
    provider = _tracing.provider
    _tracing.provider, _tracing.tracer = None, _OnlyIds()
    if provider:
        last = threading.Thread(target=provider.shutdown, daemon=True, name="last spans")
        last.start()
        last.join(seconds)


def inject() -> str | None:
    """The W3C traceparent of the current span, to be sent along; None outside one."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent")


def span(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[Span]:
    """A step of the current trace, or the beginning of a new one."""
    return _within(name, kind, None, attributes)


def span_from(
    traceparent: str | None, name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> AbstractContextManager[Span]:
    """The work on a message, in the trace that caused it; without a (valid) traceparent in a new trace."""
    return _within(name, SpanKind.CONSUMER, _remote(traceparent), attributes)


def server_span(method: str, route: str, headers: Mapping[str, str]) -> AbstractContextManager[Span]:
    """One HTTP request, in its client's trace if it names one. `route` is a template, empty when none matched."""
    method = known_method(method)
    attributes = {"http.request.method": method} | ({"http.route": route} if route else {})
    return _within(
        f"{method} {route}".rstrip(), SpanKind.SERVER, _remote(headers.get("traceparent")), attributes
    )


def answered(current: Span, status: int) -> None:
    """Note the status of the answer; from 500 on the span has failed."""
    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_attribute("error.type", str(status))
        current.set_status(StatusCode.ERROR)


def failed(current: Span, failure: BaseException) -> None:
    """Note a failure, secrets masked. A span that an exception leaves does so by itself."""
    current.set_attribute("error.type", type(failure).__qualname__)
    current.set_status(StatusCode.ERROR, str(plain(failure)))


def of_event(recorded: Recorded[Any], by: str) -> dict[str, AttributeValue]:
    """The attributes of a span in which the handler or projection `by` deals with an event."""
    return {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": recorded.stream,
        "messaging.consumer.group.name": by,
        "messaging.message.id": recorded.headers.get("ce-id", ""),
        "cloudevents.event_type": recorded.event.type(),
        "headwater.position": recorded.position,
    }


@contextmanager
def batch_span(
    traceparents: Iterable[str | None], name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[Span]:
    """The work on many messages at once: a trace of its own, linked to those that caused it.

    When those are few, each also gets a span of the same name and duration, linked to this one.
    """
    causes = _causes(traceparents) if _tracing.provider else {}
    began = time.time_ns()
    trouble: Exception | None = None
    with _within(name, SpanKind.CONSUMER, Context(), attributes, list(causes.values())) as whole:
        try:
            yield whole
        except Exception as failure:
            trouble = failure
            raise
        finally:
            back = [Link(whole.get_span_context())]
            for cause in causes if len(causes) <= FEW else ():
                parent = _remote(cause)
                each = _tracing.tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, back, began)
                if trouble:
                    failed(each, trouble)
                each.end()


def _causes(traceparents: Iterable[str | None]) -> dict[str, Link]:
    distinct = islice(dict.fromkeys(filter(None, traceparents)), LINKS)
    spans = ((each, trace.get_current_span(_remote(each)).get_span_context()) for each in distinct)
    return {each: Link(span) for each, span in spans if span.is_valid}


@contextmanager
def _within(
    name: str,
    kind: SpanKind,
    parent: Context | None,
    attributes: Mapping[str, AttributeValue] | None,
    links: list[Link] | None = None,
) -> Iterator[Span]:
    current = _tracing.tracer.start_span(name, parent, kind, attributes, links)
    token = context.attach(trace.set_span_in_context(current))
    try:
        yield current
    except Exception as failure:
        failed(current, failure)
        raise
    finally:
        context.detach(token)
        current.end()


def _remote(traceparent: str | None) -> Context:
    """The context of the span that sent this; an empty one, which begins a new trace, if none did."""
    return _w3c.extract({"traceparent": traceparent}, Context()) if traceparent else Context()
