"""How long Pulumi's engine takes for both environments, and the longest chain of dependent resources.

    python -m benchmarks.deploy

The engine runs as in ``tests/engine``, without AWS, so the measured times are the engine's and the program's. The time that
AWS adds is estimated from the dependencies in the state and typical creation times (``deploy_times.tsv``, with sources).
"""

from __future__ import annotations

import csv
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from preflight.sdk.wire import Wire
from tests.engine.harness import PACKS, REPOSITORY, Engine, custom, name_of

STACKS = ("staging", "prod")
TIMES = Path(__file__).with_name("deploy_times.tsv")
ONE_CALL_SECONDS = 3
"""Seconds for a type that the table does not list: one API call that returns a finished resource."""
SLOW_SECONDS = 60
REASONS = {
    ("aws:lb/loadBalancer:LoadBalancer", "aws:ecs/service:Service"): (
        "ECS refuses a service whose target group no listener uses, and a task is in service once the load balancer "
        "finds it healthy"
    ),
    ("aws:acm/certificateValidation:CertificateValidation", "aws:ecs/service:Service"): (
        "an HTTPS listener needs an issued certificate, and ECS a target group that a listener uses"
    ),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ecs/service:Service"): (
        "a task pulls its image and its secrets through the endpoints: one that starts earlier fails"
    ),
    ("aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"): "an instance is a part of its cluster",
    ("aws:rds/clusterInstance:ClusterInstance", "aws:ecs/service:Service"): "the first task migrates the database",
}
"""The reason why one slow resource must wait for another."""


@dataclass(frozen=True, slots=True)
class Step:
    """One resource of a chain."""

    name: str
    type: str
    seconds: int


def typical_times() -> dict[str, int]:
    """Type → typical seconds until it is created."""
    with TIMES.open() as table:
        return {row["type"]: int(row["seconds"]) for row in csv.DictReader(table, delimiter="\t")}


def longest_chain(resources: Sequence[Wire], times: Mapping[str, int]) -> list[Step]:
    """The longest chain. A resource waits for its own dependencies and for those of its parents."""
    by_urn = {resource["urn"]: resource for resource in resources}
    best: dict[str, tuple[int, list[Step]]] = {}
    nothing: tuple[int, list[Step]] = (0, [])

    def finish(urn: str) -> tuple[int, list[Step]]:
        if urn not in best:
            best[urn] = nothing  # a component that depends on its own child does not wait for itself
            before = max(
                (finish(other) for other in _waits_for(urn, by_urn)), key=lambda chain: chain[0], default=nothing
            )
            resource = by_urn[urn]
            seconds = times.get(resource["type"], ONE_CALL_SECONDS) if resource["custom"] else 0
            step = [Step(name_of(urn), resource["type"], seconds)] if resource["custom"] else []
            best[urn] = (before[0] + seconds, before[1] + step)
        return best[urn]

    return max((finish(urn) for urn in sorted(by_urn)), key=lambda chain: chain[0], default=nothing)[1]


def waited_for(resources: Sequence[Wire], urn: str) -> set[str]:
    """Every resource that has to exist before this one is started."""
    by_urn = {resource["urn"]: resource for resource in resources}
    found: set[str] = set()
    open_ = _waits_for(urn, by_urn)
    while open_:
        other = open_.pop()
        if other not in found:
            found.add(other)
            open_ += _waits_for(other, by_urn)
    return found


def _waits_for(urn: str, by_urn: Mapping[str, Wire]) -> list[str]:
    """Its own dependencies and those of its parents."""
    resource = by_urn[urn]
    parent = resource.get("parent", "")
    inherited = _waits_for(parent, by_urn) if parent in by_urn else []
    return sorted({*resource.get("dependencies", []), *inherited} & by_urn.keys())


def unexplained(chain: Sequence[Step]) -> list[str]:
    """Pairs of slow resources that wait for each other without a documented reason."""
    slow = [step for step in chain if step.seconds >= SLOW_SECONDS]
    pairs = [(a, b) for a, b in pairwise(slow) if (a.type, b.type) not in REASONS]
    return [f"{a.name} before {b.name}" for a, b in pairs]


def _say(line: str, to: TextIO = sys.stdout) -> None:
    to.write(line + "\n")


def _print_chain(chain: Sequence[Step]) -> None:
    _say(f"  longest chain on AWS: about {sum(step.seconds for step in chain) / 60:.1f} min")
    slow: Step | None = None
    for step in chain:
        mark = " slow" if step.seconds >= SLOW_SECONDS else ""
        _say(f"    {step.seconds:>4} s  {step.type.rpartition(':')[2]} {step.name}{mark}")
        if mark:
            if slow is not None:
                _say(f"            after {slow.name}: {REASONS.get((slow.type, step.type), 'NO REASON')}")
            slow = step


def _measure(stack: str, root: Path, times: Mapping[str, int]) -> list[str]:
    engine = Engine.create(root / stack, REPOSITORY, stack)
    first = engine.preview(packs=PACKS)
    up = engine.up("--skip-preview")
    second = engine.preview(packs=PACKS)
    resources = engine.resources()
    chain = longest_chain(custom(resources) + [r for r in resources if not r["custom"]], times)
    _say(f"\n{stack}: {len(resources)} resources")
    _say(f"  first preview with both packs   {first.seconds:6.1f} s")
    _say(f"  update without AWS's own time   {up.seconds:6.1f} s")
    _say(f"  preview without changes         {second.seconds:6.1f} s")
    _print_chain(chain)
    return unexplained(chain)


def main() -> int:
    """Measure both environments. Exit 1 if slow resources wait without a documented reason, 2 without the Pulumi CLI."""
    if shutil.which("pulumi") is None:
        _say("the pulumi command line is not on PATH: nothing measured", sys.stderr)
        return 2
    _say(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    times = typical_times()
    with tempfile.TemporaryDirectory() as folder:
        found = [pair for stack in STACKS for pair in _measure(stack, Path(folder), times)]
    for pair in found:
        _say(f"slow resources in a row without a reason: {pair}", sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
