"""Every alarm can fire: its metric exists, its threshold can be reached, and an outage at low traffic is noticed.

CloudWatch accepts any alarm. One on a metric that is not published, with a threshold above what the program can use, or on
a number of errors that few users never cause, stays silent, and nothing else shows it.

Each alarm is compared with ``metrics.tsv`` and with the graph:

- namespace, metric, set of dimensions and statistic are documented, and each dimension names a resource of the stack;
- with the values that the metrics can have at the lowest and at the highest number of tasks, it fires at some of them and
  not at all of them (``metric_ranges``);
- if one request in five minutes is all the traffic, and it fails, then one of the alarms on the failures fires and sends a
  message, itself or by a composite alarm.
"""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from preflight.conform.alarm_rules import heard
from preflight.conform.documented.model import listed, mapping
from preflight.conform.documented.observation import ALARM
from preflight.conform.documented.services import TASK, containers
from preflight.conform.metric_math import NotEmulatedError, Value, evaluate
from preflight.conform.metric_ranges import Reach, insights, worlds
from preflight.conform.metrics import Metric, Traffic, documented, metrics_of
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording

RULE = "conform-alarms-can-fire"
LOW_TRAFFIC_SECONDS = 300
"""The time between two requests at low traffic."""
UNLIMITED = 1e15
"""Stands for a value without a limit."""
_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_INSIGHTS = "ECS/ContainerInsights"
OWN = "ai-interface/"
"""Begins the namespaces of metrics that the stack itself publishes."""
DIMENSIONS: Mapping[str, tuple[str, str]] = {
    "BackupVaultName": ("aws:backup/vault:Vault", "name"),
    "CacheClusterId": ("aws:elasticache/replicationGroup:ReplicationGroup", "memberClusters"),
    "ClusterName": ("aws:ecs/cluster:Cluster", "name"),
    "DBClusterIdentifier": ("aws:rds/cluster:Cluster", "clusterIdentifier"),
    "DBInstanceIdentifier": ("aws:rds/clusterInstance:ClusterInstance", "identifier"),
    "LoadBalancer": ("aws:lb/loadBalancer:LoadBalancer", "arnSuffix"),
    "QueueName": ("aws:sqs/queue:Queue", "name"),
    "RuleName": ("aws:cloudwatch/eventRule:EventRule", "name"),
    "ServiceName": ("aws:ecs/service:Service", "name"),
    "TargetGroup": ("aws:lb/targetGroup:TargetGroup", "arnSuffix"),
    "WebACL": ("aws:wafv2/webAcl:WebAcl", "name"),
}
"""Dimension → the type that it names, and the property with the name. Others name no resource of the stack."""


@dataclass(frozen=True, slots=True)
class _Alarm:
    resource: RecordedResource
    metrics: tuple[Metric, ...]
    expression: str

    @classmethod
    def of(cls, resource: RecordedResource) -> _Alarm:
        metrics, expression = metrics_of(resource)
        return cls(resource, tuple(metrics), expression)

    @property
    def threshold(self) -> float:
        return float(self.resource.inputs.get("threshold") or 0)

    @property
    def periods(self) -> int:
        return int(self.resource.inputs.get("evaluationPeriods") or 1)

    @property
    def needed(self) -> int:
        return int(self.resource.inputs.get("datapointsToAlarm") or self.periods)

    @property
    def period(self) -> int:
        return max(one.period for one in self.metrics)

    def breaches(self, values: Mapping[str, Value]) -> bool | None:
        """Whether the values breach the threshold; ``None`` if they are no data."""
        found = evaluate(self.expression, values)
        return (
            None if found is None else _BREACHES[str(self.resource.inputs["comparisonOperator"])](found, self.threshold)
        )


def findings(recording: Recording) -> list[Finding]:
    """Every alarm that cannot fire, and every kind of failure that no alarm notices at low traffic, sorted."""
    alarms = [_Alarm.of(one) for one in recording.of_type(ALARM)]
    found: list[Finding] = []
    readable: list[_Alarm] = []
    for alarm in alarms:
        wrong = [*_undocumented(recording, alarm)]
        if not wrong:
            readable.append(alarm)
            wrong = [*_out_of_reach(recording, alarm)]
        found += wrong
    return sorted([*found, *_silent(recording, readable)], key=lambda one: (one.urn, one.headline, one.found))


def _undocumented(recording: Recording, alarm: _Alarm) -> Iterator[Finding]:
    comparison = str(alarm.resource.inputs.get("comparisonOperator"))
    if comparison not in _BREACHES:
        headline = "comparisonOperator: whether the alarm can fire is not known"
        yield _finding(recording, alarm, headline, comparison, f"one of {', '.join(sorted(_BREACHES))}", proven=False)
    for metric in alarm.metrics:
        row = documented().get((metric.namespace, metric.name))
        if row is None:
            wanted = "a metric in preflight/conform/metrics.tsv, with the page that documents it"
            yield _finding(recording, alarm, "metricName: the metric is not known to exist", metric.label, wanted)
            continue
        if frozenset(metric.of) not in row.dimensions:
            sets = " or ".join(sorted("+".join(sorted(one)) for one in row.dimensions))
            found = f"{metric.label} with {'+'.join(sorted(metric.of)) or 'no dimensions'}"
            yield _finding(recording, alarm, "dimensions: the metric has no such set of dimensions", found, sets)
        if metric.statistic not in row.statistics:
            wanted = ", ".join(sorted(row.statistics))
            found = f"{metric.statistic} of {metric.label}"
            yield _finding(recording, alarm, "statistic: it means nothing for the metric", found, wanted)
        yield from _names_nothing(recording, alarm, metric)


def _names_nothing(recording: Recording, alarm: _Alarm, metric: Metric) -> Iterator[Finding]:
    for name, value in metric.dimensions:
        if name in DIMENSIONS:
            type_, key = DIMENSIONS[name]
            known = {str(one) for resource in recording.of_type(type_) for one in _values(resource.outputs.get(key))}
            if value not in known:
                wanted = f"the {key} of a {type_.rpartition(':')[2]} of the stack"
                yield _finding(recording, alarm, f"dimensions.{name}: it names no resource", value, wanted)
    if metric.namespace == _INSIGHTS:
        clusters = [
            one
            for one in recording.of_type("aws:ecs/cluster:Cluster")
            if one.outputs.get("name") == metric.of["ClusterName"]
        ]
        if not any(insights(one) in ("enabled", "enhanced") for one in clusters):
            wanted = "containerInsights enabled or enhanced in the cluster's settings"
            yield _finding(recording, alarm, "namespace: the cluster does not publish the metric", metric.label, wanted)
    if metric.namespace.startswith(OWN) and not published(recording, metric):
        wanted = "a metric filter or a container of the stack that publishes it"
        yield _finding(recording, alarm, "metricName: nothing publishes the metric", metric.label, wanted)


def published(recording: Recording, metric: Metric) -> bool:
    """Whether a metric filter or a container of the stack publishes one of the stack's own metrics."""
    for one in recording.of_type("aws:cloudwatch/logMetricFilter:LogMetricFilter"):
        made = mapping(one.inputs.get("metricTransformation"))
        if (made.get("namespace"), made.get("name")) == (metric.namespace, metric.name):
            return sorted(mapping(made.get("dimensions"))) == sorted(metric.of)
    # An image may have the same name as a namespace.
    told = [
        {key: value for key, value in one.items() if key != "image"}
        for task in recording.of_type(TASK)
        for one in containers(task)
    ]
    return any(metric.namespace in json.dumps(one) for one in told)


def _values(value: object) -> list[object]:
    return listed(value) if isinstance(value, list) else [value]


def _out_of_reach(recording: Recording, alarm: _Alarm) -> Iterator[Finding]:
    for world in worlds(recording):
        try:
            outcomes = [alarm.breaches(values) for values in _extremes(world, alarm)]
        except NotEmulatedError as error:
            wanted = "an expression that preflight/conform/metric_math.py evaluates"
            yield _finding(
                recording,
                alarm,
                "metricQueries: whether the alarm can fire is not known",
                str(error),
                wanted,
                proven=False,
            )
            return
        highest = ", ".join(f"{one.label} at most {world.highest(one):g}" for one in alarm.metrics)
        tasks = ", ".join(f"{count} {name}" for name, count in sorted(world.tasks.items()))
        found = f"threshold {alarm.threshold:g} of {alarm.expression}; {highest}, with tasks: {tasks}"
        if not any(outcomes):
            yield _finding(
                recording, alarm, "threshold: the alarm can never fire", found, "a threshold within this range"
            )
            return
        if all(one is not False for one in outcomes):
            yield _finding(
                recording, alarm, "threshold: the alarm always fires", found, "a threshold within this range"
            )
            return


def _extremes(world: Reach, alarm: _Alarm) -> Iterator[Mapping[str, Value]]:
    """Every combination of the metrics' lowest and highest values. The number of running tasks is the world's: nothing else
    in an expression makes sense with another number of tasks."""
    choices: list[tuple[float, ...]] = []
    for metric in alarm.metrics:
        row, highest = documented()[metric.namespace, metric.name], min(world.highest(metric), UNLIMITED)
        fixed = len(alarm.metrics) > 1 and metric.name == "RunningTaskCount"
        choices.append((highest,) if fixed else (row.lowest, highest))
    for values in itertools.product(*choices):
        yield {metric.id: value for metric, value in zip(alarm.metrics, values, strict=True)}


def _silent(recording: Recording, alarms: list[_Alarm]) -> Iterator[Finding]:
    """Failures of which no alarm fires while one request in five minutes is all the traffic, and fails."""
    watching: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[_Alarm]] = {}
    # One window of a burn rate alone sends no message.
    for alarm in (one for one in alarms if any(heard(recording, one.resource))):
        for metric in alarm.metrics:
            if documented()[metric.namespace, metric.name].traffic is Traffic.FAILURES:
                watching.setdefault((metric.namespace, metric.name, metric.dimensions), []).append(alarm)
    for (namespace, name, dimensions), group in sorted(watching.items()):
        if not any(_notices(alarm, name, dimensions) for alarm in group):
            thresholds = ", ".join(f"{one.resource.name} from {one.threshold:g} in {one.period} s on" for one in group)
            headline = (
                f"threshold: an outage at low traffic is not noticed: one failed request ({name}) in five minutes"
            )
            wanted = "an alarm on the failures as a share of the requests, over periods of five minutes or more"
            first = min(group, key=lambda one: one.resource.urn)
            yield _finding(recording, first, headline, f"{namespace} {name}: {thresholds}", wanted)


def _notices(alarm: _Alarm, failing: str, dimensions: tuple[tuple[str, str], ...]) -> bool:
    values: dict[str, Value] = {}
    for metric in alarm.metrics:
        traffic = documented()[metric.namespace, metric.name].traffic
        concerned = metric.dimensions == dimensions or traffic is Traffic.REQUESTS
        failed = metric.name == failing and metric.dimensions == dimensions
        values[metric.id] = 1.0 if failed or (traffic is Traffic.REQUESTS and concerned) else None
    with_data = (
        alarm.periods if alarm.period >= LOW_TRAFFIC_SECONDS else alarm.periods * alarm.period // LOW_TRAFFIC_SECONDS
    )
    return bool(alarm.breaches(values)) and with_data >= alarm.needed


def _finding(
    recording: Recording, alarm: _Alarm, headline: str, found: str, wanted: str, *, proven: bool = True
) -> Finding:
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=Verdict.VIOLATED if proven else Verdict.NOT_PROVEN,
        headline=f"{alarm.resource.name}.{headline}",
        urn=alarm.resource.urn,
        found=found,
        wanted=wanted,
        fix="correct the alarm in components/monitoring/, or the table if AWS documents another value",
        pack="conform",
        source_file=alarm.resource.source_file,
        source_line=alarm.resource.source_line,
    )
