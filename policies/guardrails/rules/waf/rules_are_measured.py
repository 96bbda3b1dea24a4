"""Web ACLs have rules, and each rule publishes a named metric.

Without a metric, a rule that blocks legitimate users goes unnoticed.

The policy cannot see whether an alarm or dashboard uses the metric.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.values import Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_FLAG = "visibilityConfig.cloudwatchMetricsEnabled"
_FIX = "set visibilityConfig with cloudwatchMetricsEnabled true and a metricName"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one web ACL, rule group or rule."""
    yield from _measured(resource, "", resource.value("visibilityConfig"))
    if resource.kind == "wafv2.WebAclRule":
        return
    rules = resource.items("rules")
    if isinstance(rules, Unknown):
        yield not_proven(resource, "rules", [rules], "rules with metrics", _FIX)
        return
    for item in rules:
        rule = as_mapping(item)
        if rule is None:
            yield not_proven(resource, "rules", ["rules"], "rules with metrics", _FIX)
        else:
            yield from _measured(resource, f"rules[{rule.get('name')}].", rule.get("visibilityConfig"))


def _measured(resource: Resource, prefix: str, config: Value) -> Iterator[Finding]:
    path = f"{prefix}{_FLAG}"
    if isinstance(config, Unknown):
        yield not_proven(resource, path, [config], "true", _FIX)
        return
    enabled = (as_mapping(config) or {}).get("cloudwatchMetricsEnabled")
    if isinstance(enabled, Unknown):
        yield not_proven(resource, path, [enabled], "true", _FIX)
    elif enabled is not True:
        yield violated(resource, path, enabled, "true", _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("wafv2.RuleGroup", "wafv2.WebAcl", "wafv2.WebAclRule"),
    controls=("WAF.12",),
)
