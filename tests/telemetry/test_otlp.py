"""A collector gets the spans; one that is slow, broken or away costs neither time nor a flood of lines."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.telemetry import otlp, traces


class Collector(ThreadingHTTPServer):
    """Answers every export with a status, not before it is let go."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, status: int, slow: bool) -> None:
        super().__init__(("127.0.0.1", 0), Export)
        self.status = status
        self.received: list[ExportTraceServiceRequest] = []
        self.let_go = threading.Event()
        if not slow:
            self.let_go.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Export(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.server.let_go.wait(20)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def collector(status: int = 200, *, slow: bool = False) -> Iterator[Collector]:
    server = Collector(status, slow)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.let_go.set()
        server.shutdown()
        server.server_close()


def spans(count: int) -> None:
    for _ in range(count):
        with traces.span("work"):
            pass


def told(caplog: pytest.LogCaptureFixture, url: str) -> list[str]:
    """What is said about this collector; threads of other tests may still be at theirs."""
    return [each.message for each in caplog.records if getattr(each, "facts", {}).get("endpoint") == url]


def test_spans_arrive_with_the_name_of_their_process() -> None:
    with collector() as server:
        traces.setup("worker", f"{server.url}/")
        spans(3)
        traces.shutdown()
        resource = server.received[0].resource_spans[0]
        attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
        assert attributes["service.name"] == "headwater-worker"
        assert [span.name for span in resource.scope_spans[0].spans] == ["work"] * 3


@pytest.mark.parametrize("fault", ["down", "slow", "500", "503"])
def test_a_bad_collector_holds_up_neither_work_nor_the_end(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    with collector(int(fault) if fault.isdigit() else 200, slow=fault == "slow") as server:
        url = closed_port() if fault == "down" else server.url
        traces.setup("api", url)
        began = time.monotonic()
        spans(3000)
        worked = time.monotonic() - began
        traces.shutdown(0.3)
        stopped = time.monotonic() - began - worked
    assert (worked < 10, stopped < 5) == (True, True), (
        "neither was held up for the 20 seconds of a slow collector"
    )
    assert len(told(caplog, url)) <= 1


def test_an_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "infra.telemetry")
    with collector(500) as server:
        made = otlp.provider("api", otlp.exporter(server.url))
        for status in (500, 500, 500, 200, 200):
            server.status = status
            made.get_tracer("test").start_span("work").end()
            assert made.force_flush()
        made.shutdown()
    assert told(caplog, server.url) == ["traces are being lost", "traces are exported again"]


def test_the_library_can_still_be_heard_about_anything_else() -> None:
    assert logging.getLogger("opentelemetry.context").isEnabledFor(logging.ERROR)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
