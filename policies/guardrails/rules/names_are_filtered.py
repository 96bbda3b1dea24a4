"""A network resolves only the names it needs, and records what is asked for.

A name server answers from inside a network without a route out, so data can leave by names. Teams whose resolver is
elsewhere filter there, so this advises.

It cannot see which names an application needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..joins import referring
from ..rule import Level, Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph
from ..topology.verdicts import Finding, violated

_WANTED = {
    "route53.ResolverFirewallRuleGroupAssociation": ("vpcId", "a DNS firewall rule group"),
    "route53.ResolverQueryLogConfigAssociation": ("resourceId", "a log of queries"),
}
_FIX = "associate a DNS firewall rule group and a resolver query log with the VPC"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each VPC, and each group of rules."""
    for vpc in graph.of_type("ec2.Vpc"):
        for kind, (path, wanted) in _WANTED.items():
            if not referring(graph, vpc, path, kind):
                yield violated(vpc, "", f"no {wanted.partition(' ')[2]}", wanted, _FIX)
    for group in graph.of_type("route53.ResolverFirewallRuleGroup"):
        rules = referring(graph, group, "firewallRuleGroupId", "route53.ResolverFirewallRule")
        if not any(rule.value("action") == "BLOCK" for rule in rules):
            fix = "add a last rule that blocks every other name"
            yield violated(group, "", "no rule that blocks", "a rule with action BLOCK", fix)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ec2.Vpc",),
    level=Level.ADVISORY,
)
