"""Every alarm on a metric of the stack's own programs watches one that a metric filter or a program of the stack publishes.

CloudWatch accepts an alarm on a metric that does not exist. It never fires, or fires all the time, and nothing else shows it:
a renamed or deleted metric filter leaves every alarm on its metric blind.

Metrics of AWS's own namespaces are not checked. A program publishes a namespace if its definition, or a policy that allows
cloudwatch:PutMetricData, names it; which metrics it publishes there, and names inside an image, are not visible.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...metrics import FILTERS, Metric, is_of_aws, metrics_of, told
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "a metric that a metric filter or a program of the stack publishes"
_FIX = "name the metric as its filter does, or add aws.cloudwatch.LogMetricFilter for it"
_MADE = "metricTransformation"
_DIMENSIONS = f"{_MADE}.dimensions"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each metric of each alarm."""
    filters = graph.of_type(FILTERS)
    for alarm in graph.of_type("cloudwatch.MetricAlarm"):
        for metric in metrics_of(alarm):
            if metric.unknowns:
                yield not_proven(alarm, metric.path, metric.unknowns, _WANTED, _FIX)
            elif isinstance(metric.namespace, str) and not is_of_aws(metric.namespace):
                yield from _own(graph, filters, alarm, metric)


def _own(graph: Graph, filters: list[Resource], alarm: Resource, metric: Metric) -> Iterator[Finding]:
    made = [one for one in filters if _is(one, "name", metric.name) and _is(one, "namespace", metric.namespace)]
    if any(_has_dimensions(one, metric) for one in made):
        return
    publishes = told(graph, str(metric.namespace))
    if publishes:
        return
    label = f"{metric.namespace} {metric.name}"
    unknown: list[str | Unknown] = [of for one in made or filters for of in _unknowns(one)]
    unknown += [metric.dimensions] if made and isinstance(metric.dimensions, Unknown) else []
    unknown += [f"whether a program publishes {metric.namespace}"] if publishes is None else []
    if unknown:
        yield not_proven(alarm, metric.path, unknown, _WANTED, _FIX, found=label)
    elif made:
        found = f"{label} with {_keys(metric.dimensions)}"
        wanted = f"the dimensions that its filter gives it: {_keys(made[0].value(_DIMENSIONS))}"
        what = "watches a metric with dimensions that its filter does not publish"
        yield violated(alarm, metric.path, found, wanted, "give the alarm the dimensions of the filter", what=what)
    else:
        yield violated(alarm, metric.path, label, _WANTED, _FIX, what="watches a metric that nothing publishes")


def _keys(dimensions: Value) -> str:
    return ", ".join(sorted(as_mapping(dimensions) or {})) or "none"


def _is(one: Resource, key: str, wanted: Value) -> bool:
    return bool(one.value(f"{_MADE}.{key}") == wanted)


def _unknowns(one: Resource) -> Iterator[Unknown]:
    for key in ("namespace", "name", "dimensions"):
        if isinstance(found := one.value(f"{_MADE}.{key}"), Unknown):
            yield found


def _has_dimensions(one: Resource, metric: Metric) -> bool:
    theirs = one.value(_DIMENSIONS)
    if isinstance(metric.dimensions, Unknown) or isinstance(theirs, Unknown):
        return False
    return set(as_mapping(metric.dimensions) or {}) == set(as_mapping(theirs) or {})


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("cloudwatch.MetricAlarm",),
    unknown_blocks=False,
)
