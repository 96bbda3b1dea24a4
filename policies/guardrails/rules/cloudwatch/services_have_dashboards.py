"""A stack with a load balancer, a service or a database has a dashboard that shows its alarms or metrics.

The first question after an alarm is what else is wrong. Without a dashboard that costs minutes of every incident.

Some teams have their dashboards elsewhere, so this is advisory. Which graphs a dashboard shows is for review; the policy looks
for widgets with metrics or alarms.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.values import as_mapping, listed
from ...topology.graph.verdicts import Finding, not_proven, violated

_WATCHED = ("ecs.Service", "lb.LoadBalancer", "rds.Cluster", "rds.Instance")
_WANTED = "a dashboard with metrics or alarms"
_FIX = "add aws.cloudwatch.Dashboard with the stack's alarms"
_SHOWN = ("alarm", "metric")


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate the stack once, on the first of its resources that a dashboard would show."""
    watched = sorted(graph.of_type(*_WATCHED), key=lambda one: one.urn)
    if not watched:
        return
    dashboards = graph.of_type("cloudwatch.Dashboard")
    for dashboard in dashboards:
        of = document_at(dashboard, "dashboardBody")
        if of.unknown is not None:
            yield not_proven(dashboard, "dashboardBody", [of.unknown], _WANTED, _FIX)
        elif not _shows(dashboard):
            yield violated(dashboard, "dashboardBody", "no widget with metrics or alarms", _WANTED, _FIX)
    if not dashboards:
        yield violated(watched[0], "", "no dashboard in the stack", _WANTED, _FIX, what="is on no dashboard")


def _shows(dashboard: Resource) -> bool:
    body = as_mapping(document_at(dashboard, "dashboardBody").value) or {}
    return any((as_mapping(widget) or {}).get("type") in _SHOWN for widget in listed(body.get("widgets")))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=_WATCHED,
    level=Level.ADVISORY,
    unknown_blocks=False,
)
