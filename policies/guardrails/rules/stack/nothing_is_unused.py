"""Supporting resources, such as log groups, event rules and route tables, are used by another resource of the stack.

A log group without a writer, which queries and metric filters only read, an event rule without a target or a route table without a subnet is left over from an
incomplete change. A resource used only by another stack looks the same, so this is advisory.

The policy cannot see that a program looks up a name at run time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.values import reveal
from ...topology.graph.verdicts import Finding, not_proven, violated

_KINDS = (
    "backup.Plan",
    "cloudwatch.EventRule",
    "cloudwatch.LogGroup",
    "ec2.RouteTable",
    "ec2.SecurityGroup",
    "elasticache.ParameterGroup",
    "elasticache.SubnetGroup",
    "iam.Policy",
    "iam.Role",
    "lb.TargetGroup",
    "rds.ClusterParameterGroup",
    "rds.ParameterGroup",
    "rds.SubnetGroup",
    "route53.ResolverFirewallDomainList",
    "route53.ResolverFirewallRuleGroup",
    "route53.ResolverQueryLogConfig",
    "wafv2.IpSet",
    "wafv2.RegexPatternSet",
    "wafv2.WebAcl",
)
_NO_USE = {
    "iam.Role": ("iam.RolePolicy", "iam.RolePolicyAttachment"),
    "cloudwatch.LogGroup": (
        "cloudwatch.LogResourcePolicy",
        "iam.RolePolicy",
        "ec2.VpcEndpoint",
        "cloudwatch.Dashboard",
        "cloudwatch.LogDataProtectionPolicy",
        "cloudwatch.LogMetricFilter",
        "cloudwatch.LogSubscriptionFilter",
        "cloudwatch.QueryDefinition",
    ),
    "ec2.SecurityGroup": ("vpc.SecurityGroupIngressRule", "vpc.SecurityGroupEgressRule", "ec2.SecurityGroupRule"),
    "wafv2.WebAcl": ("wafv2.WebAclLoggingConfiguration", "cloudwatch.MetricAlarm"),
    "lb.TargetGroup": ("ecs.Service", "ecs.TaskSet", "cloudwatch.MetricAlarm", "appautoscaling.Policy"),
    "ec2.RouteTable": ("ec2.Route", "ec2.VpcEndpoint"),
    "route53.ResolverFirewallRuleGroup": ("route53.ResolverFirewallRule",),
}
"""Properties and types that describe a resource and do not count as use."""
_BY_NAME = ("/aws/", "aws-waf-logs-", "API-Gateway-Execution-Logs")
"""Log groups that a service finds by name."""
_ITSELF = ("arn", "id", "urn")
"""The name of a resource, which may contain the name of another and does not count as use."""

_FIX = "remove it, or reference it again from the resource that was meant to use it"
_WANTED = "a resource that uses it"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each resource of a type that has no purpose without another resource."""
    users: dict[str, set[str]] = {}
    for resource in graph:
        for urns in resource.property_dependencies.values():
            for urn in urns:
                users.setdefault(urn, set()).add(resource.kind)
    texts: list[tuple[str, str]] | None = None
    for resource in graph.of_type(*_KINDS):
        silent = _NO_USE.get(resource.kind, ())
        if users.get(resource.urn, set()) - set(silent) - {""}:
            continue
        name = resource.value("name")
        if resource.kind == "cloudwatch.LogGroup" and isinstance(name, str) and name.startswith(_BY_NAME):
            continue
        texts = _texts(graph) if texts is None else texts
        named = [
            value
            for value in (resource.value(key) for key in ("name", "arn", "id"))
            if isinstance(value, str) and value
        ]
        pattern = re.compile("|".join(rf"(?<![\w/.-]){re.escape(value)}(?![\w/.-])" for value in named) or r"(?!)")
        if any(kind not in silent and kind != resource.kind and pattern.search(text) for kind, text in texts):
            continue
        if isinstance(name, Unknown) and not named:
            yield not_proven(resource, "", [name], _WANTED, _FIX)
        else:
            yield violated(resource, "", "no resource of this stack", _WANTED, _FIX, what="is not used")


def _texts(graph: Graph) -> list[tuple[str, str]]:
    """Type and text of every resource, to search for names."""
    return [
        (
            item.kind,
            json.dumps(
                {key: reveal(value) for key, value in item.properties.items() if key not in _ITSELF}, default=str
            ),
        )
        for item in graph
        if item.type.startswith(("aws", "pulumi:pulumi"))
    ]


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=_KINDS, level=Level.ADVISORY
)
