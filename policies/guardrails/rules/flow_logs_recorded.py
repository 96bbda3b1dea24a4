"""Every VPC records its flow logs.

They are the record of who spoke to whom when an incident is looked into.

It judges VPCs of this stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import expect
from ..joins import referring
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph
from ..topology.verdicts import Finding, violated

_FIX = "add aws.ec2.FlowLog for the VPC with trafficType ALL or REJECT"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each VPC, and each flow log."""
    for vpc in graph.of_type("ec2.Vpc"):
        if not referring(graph, vpc, "vpcId", "ec2.FlowLog"):
            yield violated(vpc, "", "no flow log", "a flow log", _FIX, what="is not recorded")
    for log in graph.of_type("ec2.FlowLog"):
        yield from expect(log, "trafficType", lambda found: found in ("ALL", "REJECT"), "ALL or REJECT", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ec2.FlowLog", "ec2.Vpc"),
    controls=("EC2.6",),
)
