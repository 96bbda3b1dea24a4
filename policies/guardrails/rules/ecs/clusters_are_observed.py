"""ECS clusters have Container Insights turned on.

Without it there is no record of how much CPU, memory and disk a task used before it failed.

The policy cannot see whether an alarm uses these metrics.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, contains_unknown, unknowns_in
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "the setting containerInsights with the value enabled or enhanced"
_FIX = "add the cluster setting containerInsights = enhanced"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one cluster."""
    found = resource.items("settings")
    if contains_unknown(found):
        yield not_proven(resource, "settings", list(unknowns_in(found)), _WANTED, _FIX)
        return
    settled = [as_mapping(item) or {} for item in found] if isinstance(found, list) else []
    values = {str(item.get("name")): item.get("value") for item in settled}
    if values.get("containerInsights") not in ("enabled", "enhanced"):
        yield violated(resource, "settings[containerInsights]", values.get("containerInsights"), _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ecs.Cluster",),
    controls=("ECS.12",),
)
