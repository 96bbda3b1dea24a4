"""How long the steps of an update take on AWS: typical times, and the longest chain of steps that wait for each other.

The times are estimates and times from public logs (``deploy_times.tsv``, each with its source); none is measured on a stack of this
project.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from preflight.changes.plan import Operation, Plan, Step

TIMES = Path(__file__).with_name("deploy_times.tsv")
NAME = "preflight/changes/deploy_times.tsv"
ONE_CALL_SECONDS = 3
"""Seconds for a step that the table does not list: one API call that returns a finished resource."""
SERVICE = "aws:ecs/service:Service"
_WAITED_FOR = frozenset(
    {
        SERVICE,
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:rds/clusterInstance:ClusterInstance",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:wafv2/webAclAssociation:WebAclAssociation",
    }
)
"""Types whose update the provider waits for as it does for their creation; other updates are one call."""


def returns_at_once(type_: str, inputs: Mapping[str, object] | None) -> bool:
    """Whether the provider returns before the typical time is over: a service whose steady state is not waited for. Its time is that
    of its first task, for which no other resource waits."""
    return type_ == SERVICE and (inputs or {}).get("waitForSteadyState") is False


@cache
def typical_times() -> dict[str, int]:
    """Type → typical seconds until it is created."""
    with TIMES.open(encoding="utf-8") as table:
        return {row["type"]: int(row["seconds"]) for row in csv.DictReader(table, delimiter="\t")}


def seconds_of(step: Step, times: Mapping[str, int]) -> int:
    """Typical seconds of one step. Deletions are not in the table: they count as one call."""
    made = step.operation in (Operation.CREATE, Operation.REPLACE)
    if made or (step.operation is Operation.UPDATE and step.type in _WAITED_FOR):
        return times.get(step.type, ONE_CALL_SECONDS)
    return ONE_CALL_SECONDS


def longest_chain(plan: Plan, times: Mapping[str, int]) -> list[Step]:
    """The steps of the chain that takes longest, in order. A step waits for the steps that its resource depends on."""
    done: dict[str, tuple[int, list[Step]]] = {}
    nothing: tuple[int, list[Step]] = (0, [])

    def finish(urn: str) -> tuple[int, list[Step]]:
        if urn not in done:
            done[urn] = (0, [])  # a cycle through a parent ends here
            step = plan.steps[urn]
            before = max(
                (finish(other) for other in _waits_for(plan, step)), key=lambda chain: chain[0], default=nothing
            )
            done[urn] = (before[0] + seconds_of(step, times), [*before[1], step])
        return done[urn]

    return max((finish(urn) for urn in sorted(plan.steps)), key=lambda chain: chain[0], default=nothing)[1]


def _waits_for(plan: Plan, step: Step) -> list[str]:
    by_urn = {one.urn: one for one in plan.after.resources}
    seen: set[str] = set()
    found: set[str] = set()
    left = list(step.resource.dependencies)
    while left:  # resources that stay are looked through
        urn = left.pop()
        if urn in seen:
            continue
        seen.add(urn)
        if urn in plan.steps:
            found.add(urn)
        elif urn in by_urn:
            left += by_urn[urn].dependencies
    return sorted(found)
