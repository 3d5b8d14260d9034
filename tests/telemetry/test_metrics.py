"""The figures of every process reach Prometheus as they were counted."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from infra.telemetry.exposition import Family, Samples, render, snapshot
from infra.telemetry.metrics import Lag, Metrics

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def busy() -> Metrics:
    metrics = Metrics()
    metrics.requested("POST", "/v1/upload/audio", 202, 0.03)
    metrics.requested("POST", "/v1/upload/audio", 202, 3)
    metrics.requested("BREW", "", 405, 0.001)
    metrics.appended("JOBSITE", "ok", 0.002)
    metrics.appended("JOBSITE", "conflict", 0.001)
    metrics.attempted("transcribe", "retry", 12.5)
    metrics.buried("transcribe")
    metrics.projected("jobsite", 500, 0.02)
    metrics.halted("jobsite", True)
    metrics.sent(3)
    metrics.closed_slow()
    metrics.lags(handlers={"transcribe": Lag(7, 1.5)}, projections={"jobsite": Lag(0, 0.0)})
    metrics.troubled({"dead letters": 2})
    return metrics


def read(page: bytes) -> Figures:
    families = list(text_string_to_metric_families(page.decode()))
    assert len({family.name for family in families}) == len(families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def over_the_wire(samples: Samples) -> Samples:
    return msgspec.json.decode(msgspec.json.encode(samples), type=Samples)


def test_every_figure_arrives_with_its_process() -> None:
    api, worker = busy(), busy()
    worker.attempted("index", "ok", 0.5)
    shown = read(render({"api": snapshot(api), "worker-1": over_the_wire(snapshot(worker))}))
    for process, metrics in (("api", api), ("worker-1", worker)):
        for metric in metrics.registry.collect():
            for sample in metric.samples:
                if sample.name.startswith("headwater_") and not sample.name.endswith("_created"):
                    key = (sample.name, frozenset({**sample.labels, "process": process}.items()))
                    assert shown[key] == sample.value
    assert (
        "headwater_handler_attempts_total",
        frozenset({"process": "api", "handler": "index", "outcome": "ok"}.items()),
    ) not in shown


def test_each_process_tells_its_cpu_memory_and_files() -> None:
    names = {name for name, _ in read(render({"api": snapshot(Metrics())}))}
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= names


def test_odd_methods_and_unknown_paths_make_no_new_series() -> None:
    metrics = Metrics()
    for n in range(100):
        metrics.requested(f"BREW{n}", "", 404, 0.01)
    assert (
        metrics.registry.get_sample_value(
            "headwater_http_requests_total", {"method": "_OTHER", "route": "unmatched", "status": "404"}
        )
        == 100
    )


def test_a_connection_counts_as_long_as_it_is_open() -> None:
    metrics = Metrics()

    def connections() -> float | None:
        return metrics.registry.get_sample_value("headwater_live_connections", {"kind": "ws"})

    with metrics.connection("ws"):
        with pytest.raises(ConnectionResetError), metrics.connection("ws"):
            raise ConnectionResetError(connections())
        assert connections() == 1
    assert connections() == 0


def test_the_lag_of_what_is_gone_is_gone() -> None:
    metrics = Metrics()
    metrics.lags(handlers={"old": Lag(3, 9.0), "new": Lag(1, 1.0)}, projections={})
    metrics.lags(handlers={"new": Lag(2, 4.5)}, projections={})
    shown = {key: value for key, value in read(render({"api": snapshot(metrics)})).items() if "lag" in key[0]}
    new = frozenset({("handler", "new"), ("process", "api")})
    assert shown == {("headwater_handler_lag_events", new): 2, ("headwater_handler_lag_seconds", new): 4.5}


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(), max_size=3))
def test_any_label_is_a_valid_label(names: dict[str, str]) -> None:
    samples = {
        process: (Family("x", "gauge", "help", ("it",), (("", ""),), (((it,), (1.0,)),)),)
        for process, it in names.items()
    }
    page = render(samples).decode()
    assert page.count("\n") == (2 + len(samples) if samples else 0)


def test_another_versions_idea_of_a_figure_does_not_spoil_the_page() -> None:
    odd = (Family("headwater_appends", "gauge", "other", (), (("", ""),), (((), (1.0,)),)),)
    shown = read(render({"api": snapshot(busy()), "old": odd}))
    assert not any(("process", "old") in labels for _, labels in shown)


def test_a_snapshot_is_small() -> None:
    metrics = busy()
    for route in range(25):
        for status in (200, 401, 404):
            metrics.requested("GET", f"/v1/things/{route}/{{thingId}}", status, 0.01)
    assert len(msgspec.json.encode(snapshot(metrics))) < 10_000
