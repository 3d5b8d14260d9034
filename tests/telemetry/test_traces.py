"""One upload can be followed from HTTP through the log into every handler and projection."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from events.envelope import Event, Recorded
from infra.telemetry import traces

Spans = Callable[[], dict[str, ReadableSpan]]
CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Poured(Event, frozen=True, kw_only=True):
    context = "test"
    aggregate = "glass"


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context
    return span.context.trace_id, span.context.span_id


def child_of(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and (span.parent.trace_id, span.parent.span_id) == ids(parent)


def test_a_trace_goes_from_the_client_through_a_header_into_a_handler(spans: Spans) -> None:
    with traces.server_span("POST", "/v1/upload/audio", {"traceparent": CLIENT}) as request:
        with traces.span("append", {"messaging.system": "nats"}, kind=SpanKind.PRODUCER):
            header = traces.inject()
        traces.answered(request, 202)
    with traces.span_from(header, "transcribe"), traces.span("decode"):
        pass
    found = spans()
    request_span, append, transcribe, decode = (
        found[name] for name in ("POST /v1/upload/audio", "append", "transcribe", "decode")
    )
    assert {f"{ids(span)[0]:032x}" for span in found.values()} == {CLIENT[3:35]}
    assert f"{request_span.parent.span_id:016x}" == CLIENT[36:52]  # type: ignore[union-attr]
    assert child_of(append, request_span)
    assert child_of(transcribe, append)
    assert child_of(decode, transcribe)
    assert (request_span.kind, transcribe.kind) == (SpanKind.SERVER, SpanKind.CONSUMER)
    assert request_span.attributes == {
        "http.request.method": "POST", "http.route": "/v1/upload/audio", "http.response.status_code": 202,
    }  # fmt: skip


def test_without_a_cause_a_new_trace_begins_even_inside_another(spans: Spans) -> None:
    for number, header in enumerate([None, "", "junk", "00-" + "0" * 32 + "-b7ad6b7169203331-01"]):
        with traces.span("outer"), traces.span_from(header, f"work {number}"):
            pass
    found = spans()
    assert [found[f"work {n}"].parent for n in range(4)] == [None] * 4


def test_an_unsampled_trace_stays_so(spans: Spans) -> None:
    with traces.span_from(CLIENT[:-2] + "00", "quiet"):
        header = traces.inject()
    assert header is not None
    assert header.startswith(CLIENT[:36])
    assert header.endswith("0")
    assert spans() == {}


def test_an_odd_method_and_no_route_are_named_so(spans: Spans) -> None:
    with traces.server_span("BREW", "", {}) as request:
        traces.answered(request, 503)
    found = spans()["_OTHER"]
    assert found.status.status_code is StatusCode.ERROR
    assert found.attributes == {
        "http.request.method": "_OTHER", "http.response.status_code": 503, "error.type": "503",
    }  # fmt: skip


def test_a_failure_is_noted_without_its_secrets(spans: Spans) -> None:
    with pytest.raises(ConnectionError), traces.span("connect"):
        raise ConnectionError("cannot reach postgres://headwater:hunter22@db")
    status = spans()["connect"].status
    assert status.status_code is StatusCode.ERROR
    assert status.description == "ConnectionError: cannot reach postgres://***@db"


def test_the_attributes_of_an_event_say_where_it_is(spans: Spans) -> None:
    event_id = str(uuid4())
    recorded: Recorded[Any] = Recorded(Poured(), MappingProxyType({"ce-id": event_id}), "TEST", 7)
    with traces.span_from(recorded.trace, "transcribe", traces.of_event(recorded, by="transcribe")):
        pass
    attributes = spans()["transcribe"].attributes
    assert attributes
    assert attributes["messaging.destination.name"] == "TEST"
    assert attributes["messaging.message.id"] == event_id
    assert attributes["cloudevents.event_type"] == "test.glass.poured"


def headers(count: int) -> list[str]:
    made = []
    for _ in range(count):
        with traces.span("upload"):
            made.append(str(traces.inject()))
    return made


def test_a_small_batch_shows_in_the_trace_of_each_of_its_events() -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    traces.setup("projector", None, exporter=exporter)
    causes = headers(3)
    with (
        pytest.raises(OSError, match="disk"),
        traces.batch_span([*causes, None, "junk", causes[0]], "project jobsite"),
    ):
        raise OSError("disk full")
    traces.shutdown()
    batch = [span for span in exporter.get_finished_spans() if span.name == "project jobsite"]
    whole = next(span for span in batch if span.parent is None)
    parts = [span for span in batch if span.parent]
    assert {f"{link.context.trace_id:032x}" for link in whole.links} == {cause[3:35] for cause in causes}
    assert sorted(f"{ids(part)[0]:032x}" for part in parts) == sorted(cause[3:35] for cause in causes)
    assert all(part.links[0].context == whole.context for part in parts)
    assert all(part.status.status_code is StatusCode.ERROR for part in batch)
    assert all((part.start_time or 0) <= (whole.start_time or 0) + 10_000_000 for part in parts)


def test_a_large_batch_is_only_linked(spans: Spans) -> None:
    causes = headers(300)
    with traces.batch_span(causes, "project jobsite"):
        pass
    whole = spans()["project jobsite"]
    assert whole.parent is None
    assert len(whole.links) == traces.LINKS


def test_without_a_collector_ids_are_valid_and_handed_on() -> None:
    assert traces.inject() is None
    with traces.server_span("GET", "/health", {"traceparent": CLIENT}):
        header = traces.inject()
    assert header is not None
    assert header[:36] == CLIENT[:36]
    assert header[36:52] != CLIENT[36:52]
    assert header.endswith("-01")
    with traces.batch_span([header], "project"), traces.span("outer"):
        outer = traces.inject()
        with traces.span("inner"):
            inner = traces.inject()
    assert outer is not None
    assert inner is not None
    assert outer[3:35] == inner[3:35] != CLIENT[3:35]
