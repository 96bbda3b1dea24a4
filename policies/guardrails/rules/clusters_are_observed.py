"""ECS clusters have Container Insights on.

Without it nobody sees how much of its CPU, memory and disk a task uses before it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..rule import Rule, Settings, Severity, resource_rule
from ..topology.resources import Resource, Unknown
from ..topology.verdicts import Finding, not_proven, violated

_WANTED = "a setting containerInsights with enabled or enhanced"
_FIX = "add the cluster setting containerInsights = enhanced"


def judge(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One cluster."""
    found = resource.items("settings")
    if isinstance(found, Unknown):
        yield not_proven(resource, "settings", [found], _WANTED, _FIX)
        return
    values = {item.get("name"): item.get("value") for item in cast("list[Mapping[str, Any]]", found)}
    if values.get("containerInsights") not in ("enabled", "enhanced"):
        yield violated(resource, "settings[containerInsights]", values.get("containerInsights"), _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ecs.Cluster",),
    controls=("ECS.12",),
)
