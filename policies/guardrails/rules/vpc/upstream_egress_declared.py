"""Tasks and functions send traffic only to declared destinations: security groups, prefix lists and listed networks.

Otherwise prompts could leave for a destination that no reviewer approved. A load balancer may reach the internet on
port 443 only, for its identity provider.

The policy checks security groups; it cannot see whether a name resolves to another address inside the allowed ranges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import (
    INTERNET,
    NO_ADDRESSES,
    Addresses,
    describe,
    describe_ports,
    describe_public,
    parse,
    ports,
)
from ...topology.network.security_groups import GroupRule, SecurityGroups

_WANTED = "egress only to security groups, prefix lists and declared networks"
_FIX = "replace the rule with rules that name the security group or prefix list of each upstream"
_PATHS = {
    "cloudwatch.EventTarget": "ecsTarget.networkConfiguration.securityGroups",
    "ecs.Service": "networkConfiguration.securityGroups",
    "ecs.TaskSet": "networkConfiguration.securityGroups",
    "lambda.Function": "vpcConfig.securityGroupIds",
}
_SCHEMA: dict[str, dict[str, Any]] = {
    "networks": {
        "type": "array",
        "items": {"type": "string", "format": "cidr"},
        "default": [],
        "description": "CIDR blocks outside the network that tasks and functions may call.",
    },
    "edgePorts": {
        "type": "array",
        "items": {"type": "integer"},
        "default": [443],
        "description": "The ports on which a load balancer may call the internet.",
    },
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each service, task set, scheduled task, function and load balancer."""
    groups = SecurityGroups(graph)
    declared = NO_ADDRESSES
    for block in cast("list[str]", settings["networks"]):
        declared |= parse(block) or NO_ADDRESSES
    evaluated: set[tuple[str, str, str]] = set()
    for workload in graph.of_type(*_PATHS):
        path = _PATHS[workload.kind]
        if workload.value(path.rpartition(".")[0]) is None:
            continue
        named = groups.of(workload, path)
        unknowns = [
            *named.unknowns,
            *groups.outside(named.keys),
            *([f"{workload.label}.{path}"] if named.default else []),
        ]
        if unknowns:
            yield not_proven(workload, path, unknowns, _WANTED, _FIX)
        for rule in groups.rules(named.keys, ingress=False):
            if _first(evaluated, "workload", rule):
                yield from _workload(rule, declared)
    edge = [(int(port), int(port)) for port in cast("list[int]", settings["edgePorts"])]
    for balancer in graph.of_type("lb.LoadBalancer"):
        for rule in groups.rules(groups.of(balancer, "securityGroups").keys, ingress=False):
            if _first(evaluated, "edge", rule):
                yield from _edge(rule, edge)


def _first(evaluated: set[tuple[str, str, str]], role: str, rule: GroupRule) -> bool:
    key = (role, rule.resource.urn, rule.property)
    if key in evaluated:
        return False
    evaluated.add(key)
    return True


def _workload(rule: GroupRule, declared: Addresses) -> Iterator[Finding]:
    beyond = (rule.addresses & INTERNET) - declared
    unknowns = [name for name in rule.unknowns if not (name.startswith("ec2.VpcEndpoint") and "prefixListId" in name)]
    if beyond:
        found = f"{describe_ports(rule.ports)} to {describe(beyond)}"
        yield violated(
            rule.resource, rule.property, found, _WANTED, _FIX, what=f"lets a workload reach {describe_public(beyond)}"
        )
    elif unknowns:
        yield not_proven(rule.resource, rule.property, unknowns, _WANTED, _FIX)


def _edge(rule: GroupRule, allowed: list[tuple[int, int]]) -> Iterator[Finding]:
    beyond = rule.addresses & INTERNET
    outside = rule.ports
    for low, high in allowed:
        outside -= ports(low, high)
    if beyond and outside:
        wanted = "the internet on " + ", ".join(str(low) for low, _ in allowed) + " only"
        found = f"{describe_ports(rule.ports)} to {describe(beyond)}"
        fix = "limit the rule to the port of the identity provider, and reach targets by security group"
        yield violated(
            rule.resource,
            rule.property,
            found,
            wanted,
            fix,
            what="lets a load balancer reach more than its targets and identity provider",
        )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=(*sorted(_PATHS), "lb.LoadBalancer"),
    schema=_SCHEMA,
)
