"""Figures on their way: the samples of a process as a message, and those of all processes as Prometheus reads them."""

import math
from collections.abc import Collection, Iterable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric

from infra.telemetry.metrics import Metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Family(msgspec.Struct, frozen=True, array_like=True):
    """The figures of one name as a table: a row for each combination of label values."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    """The end of a figure's name, such as `_total`, and the upper bound if it is a histogram's bucket."""
    rows: tuple[tuple[tuple[str, ...], tuple[float, ...]], ...]
    """Label values, and a figure for each column."""


Samples = tuple[Family, ...]
"""All that a process has counted, small enough to be sent every few seconds."""


def snapshot(metrics: Metrics) -> Samples:
    """What the process has counted so far."""
    return tuple(family for metric in metrics.registry.collect() if (family := _family(metric)).rows)


def _family(metric: Metric) -> Family:
    labels: tuple[str, ...] = ()
    columns: dict[tuple[str, str], None] = {}
    rows: dict[tuple[str, ...], list[float]] = {}
    for sample in metric.samples:
        if not sample.name.endswith("_created") and math.isfinite(sample.value):
            own = {name: value for name, value in sample.labels.items() if name != "le"}
            labels = tuple(own)
            columns[sample.name.removeprefix(metric.name), sample.labels.get("le", "")] = None
            figure = float(sample.value)
            rows.setdefault(tuple(own.values()), []).append(int(figure) if figure.is_integer() else figure)
    table = tuple((key, tuple(figures)) for key, figures in rows.items())
    return Family(metric.name, metric.type, metric.documentation, labels, tuple(columns), table)


def render(processes: Mapping[str, Samples]) -> bytes:
    """The figures of all processes in Prometheus' text format 0.0.4, told apart by the label `process`."""
    merged: dict[str, Metric] = {}
    for process, families in processes.items():
        for family in families:
            metric = merged.setdefault(family.name, Metric(family.name, family.help, family.kind))
            if metric.type == family.kind:  # else another version's: one name can have only one type
                _add(metric, family, process)
    return generate_latest(_Collected(merged.values()))


def _add(metric: Metric, family: Family, process: str) -> None:
    for values, figures in family.rows:
        labels = {**dict(zip(family.labels, values, strict=True)), "process": process}
        for (suffix, bound), figure in zip(family.columns, figures, strict=True):
            own = {**labels, "le": bound} if bound else labels
            metric.add_sample(family.name + suffix, own, figure)


class _Collected:
    """Metrics that have been collected elsewhere."""

    def __init__(self, metrics: Collection[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics
