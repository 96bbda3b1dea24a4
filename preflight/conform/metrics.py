"""The table of the metrics that alarms may use (``metrics.tsv``), and the metrics of a recorded alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from preflight.conform.documented.model import Json, listed, mapping
from preflight.recording.recorder import RecordedResource

TABLE = Path(__file__).with_name("metrics.tsv")


class Traffic(StrEnum):
    """Which requests a metric counts, if any."""

    FAILURES = "failures"
    """Requests that fail. Without a failure the metric has no data."""
    REQUESTS = "requests"
    """All requests."""
    SUCCESSES = "successes"
    """Requests that do not fail. While all fail, the metric has no data."""
    NONE = "-"


@dataclass(frozen=True, slots=True)
class DocumentedMetric:
    """One row of the table."""

    dimensions: frozenset[frozenset[str]]
    statistics: frozenset[str]
    lowest: float
    highest: str
    """A number, ``-`` for no limit, or a name that ``metric_ranges`` knows."""
    traffic: Traffic
    source: str


@cache
def documented() -> Mapping[tuple[str, str], DocumentedMetric]:
    """Namespace and metric → its row."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    found: dict[tuple[str, str], DocumentedMetric] = {}
    for line in lines:
        namespace, metric, dimensions, statistics, lowest, highest, traffic, source = line.split("\t")
        found[namespace, metric] = DocumentedMetric(
            frozenset(frozenset(one.split("+")) for one in dimensions.split("|")),
            frozenset(statistics.split()),
            float(lowest),
            highest,
            Traffic(traffic),
            source,
        )
    return found


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an alarm."""

    id: str
    namespace: str
    name: str
    statistic: str
    dimensions: tuple[tuple[str, str], ...]
    period: int

    @property
    def label(self) -> str:
        """Namespace and name."""
        return f"{self.namespace} {self.name}"

    @property
    def of(self) -> Mapping[str, str]:
        """The dimensions by name."""
        return dict(self.dimensions)


def metrics_of(alarm: RecordedResource) -> tuple[list[Metric], str]:
    """The metrics of an alarm, and the expression whose value is compared: ``m`` for a single metric."""
    queries = [mapping(one) for one in listed(alarm.inputs.get("metricQueries"))]
    if not queries:
        return [_metric("m", alarm.inputs, "metricName", str(_statistic(alarm.inputs)))], "m"
    found = [
        _metric(str(one.get("id")), mapping(one["metric"]), "metricName", str(mapping(one["metric"]).get("stat")))
        for one in queries
        if one.get("metric")
    ]
    returned = next((one for one in queries if one.get("returnData")), queries[-1])
    return found, str(returned.get("expression") or returned.get("id"))


def _statistic(inputs: Mapping[str, Json]) -> Json:
    return inputs.get("statistic") or inputs.get("extendedStatistic")


def _metric(identifier: str, source: Mapping[str, Json], name: str, statistic: str) -> Metric:
    dimensions = tuple(sorted((key, str(value)) for key, value in mapping(source.get("dimensions")).items()))
    return Metric(
        identifier,
        str(source.get("namespace")),
        str(source.get(name)),
        statistic,
        dimensions,
        int(source.get("period") or 60),
    )
