"""The metrics that alarms watch, and who publishes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .topology.graph.documents import document_at
from .topology.graph.resources import Graph, Resource, Unknown, contains_unknown
from .topology.graph.values import Value, as_mapping, listed, reveal

FILTERS = "cloudwatch.LogMetricFilter"
_OF_AWS = re.compile(r"/?aws/.*", re.IGNORECASE)
_ALSO_OF_AWS = frozenset(
    {
        "AmazonMWAA",
        "ApplicationSignals",
        "CWAgent",
        "CWAgent-Prometheus",
        "CloudWatchSynthetics",
        "ContainerInsights",
        "ContainerInsights/Prometheus",
        "ECS/ContainerInsights",
        "ECS/ContainerInsights/Prometheus",
        "Glue",
        "LambdaInsights",
        "System/Linux",
        "WAF",
        "Windows/Default",
    }
)
"""Namespaces of AWS services and agents that do not begin with ``AWS/``."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an alarm. Each value may be ``Unknown``, and absent parts are ``None``."""

    path: str
    """Its place in the alarm, for messages: ``metricName``, or ``metricQueries[m1]``."""
    namespace: Value = None
    name: Value = None
    dimensions: Value = None

    @property
    def unknowns(self) -> list[Unknown]:
        """The values that prevent a comparison of namespace and name."""
        return [one for one in (self.namespace, self.name) if isinstance(one, Unknown)]

    def dimension(self, name: str) -> Value:
        """The value of a dimension: ``None`` if the metric has none, ``Unknown`` if that is not known."""
        return (
            self.dimensions if isinstance(self.dimensions, Unknown) else (as_mapping(self.dimensions) or {}).get(name)
        )


def metrics_of(alarm: Resource) -> Iterator[Metric]:
    """The metrics of this account that an alarm uses, directly or in a formula."""
    if alarm.value("metricName") is not None:
        yield Metric("metricName", *(alarm.value(key) for key in ("namespace", "metricName", "dimensions")))
    queries = alarm.items("metricQueries")
    if isinstance(queries, Unknown):
        yield Metric("metricQueries", queries, queries, queries)
        return
    for number, query in enumerate(queries):
        of = as_mapping(query) or {}
        metric = query if isinstance(query, Unknown) else of.get("metric")
        name, account = of.get("id"), of.get("accountId")
        path = f"metricQueries[{name if isinstance(name, str) else number}]"
        if isinstance(metric, Unknown):
            yield Metric(path, metric, metric, metric)
        elif isinstance(account, Unknown):
            yield Metric(path, account, account, account)
        elif (parts := as_mapping(metric)) is not None and account is None:
            yield Metric(path, *(parts.get(key) for key in ("namespace", "metricName", "dimensions")))


def is_of_aws(namespace: str) -> bool:
    """Whether a service or an agent of AWS publishes a namespace."""
    return namespace in _ALSO_OF_AWS or _OF_AWS.fullmatch(namespace) is not None


_PROGRAMS = (
    "apprunner.Service",
    "batch.JobDefinition",
    "codebuild.Project",
    "ec2.Instance",
    "ec2.LaunchConfiguration",
    "ec2.LaunchTemplate",
    "ecs.TaskDefinition",
    "glue.Job",
    "iam.Policy",
    "iam.Role",
    "iam.RolePolicy",
    "lambda.Function",
    "sfn.StateMachine",
    "ssm.Document",
    "ssm.Parameter",
)
"""Types that run a program or configure its agent, or allow it to publish (``cloudwatch:namespace``)."""


def told(graph: Graph, namespace: str) -> bool | None:
    """Whether the definition or a grant of a program of the stack names a namespace; ``None`` if that is not known yet."""
    pattern = re.compile(rf"(?<![\w/.-]){re.escape(namespace)}(?![\w/.-])")
    texts = _texts(graph)
    if any(pattern.search(text) for text, _ in texts):
        return True
    return None if any(unknown for _, unknown in texts) else False


def _texts(graph: Graph) -> list[tuple[str, bool]]:
    """The text of each program's definition, and whether a part of it is not known yet."""
    known: list[tuple[str, bool]] | None = graph.memory.get(__name__)
    if known is None:
        known = graph.memory[__name__] = [_text(one) for one in graph.of_type(*_PROGRAMS)]
    return known


def _text(program: Resource) -> tuple[str, bool]:
    if program.kind == "ecs.TaskDefinition":
        of = document_at(program, "containerDefinitions")
        # An image may have the same name as a namespace.
        parts = [
            {key: item for key, item in (as_mapping(one) or {}).items() if key != "image"} for one in listed(of.value)
        ]
        return json.dumps(parts, default=str), of.unknown is not None
    inputs = {key: reveal(program.properties[key]) for key in _DECIDING if key in program.properties}
    return json.dumps(inputs, default=str), contains_unknown(inputs)


_DECIDING = (
    "containerProperties", "content", "defaultArguments", "definition", "environment", "inlinePolicies", "policy",
    "sourceConfiguration", "userData", "userDataBase64", "value",
)  # fmt: skip
"""The properties of a program in which a namespace can be named."""
