"""Every VPC records flow logs.

During an incident they show which addresses communicated, and when.

The policy checks VPCs of this stack. Where flow logs are declared for single subnets, for example in an existing VPC,
it cannot see whether the VPC has other subnets.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "add aws.ec2.FlowLog for the VPC with trafficType ALL or REJECT"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each VPC, and each flow log."""
    for vpc in graph.of_type("ec2.Vpc"):
        if referring(graph, vpc, "vpcId", "ec2.FlowLog"):
            continue
        if any(log.value("subnetId") is not None for log in graph.of_type("ec2.FlowLog")):
            others = Unknown("the VPC's other subnets")
            yield not_proven(
                vpc, "", [others], "a flow log of the whole VPC", _FIX, what="may be recorded only in part"
            )
        else:
            yield violated(vpc, "", "no flow log", "a flow log", _FIX, what="is not recorded")
    for log in graph.of_type("ec2.FlowLog"):
        yield from expect(log, "trafficType", lambda found: found in ("ALL", "REJECT"), "ALL or REJECT", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ec2.FlowLog", "ec2.Vpc"),
    controls=("EC2.6",),
)
