"""How long Pulumi's engine takes for both environments, and the longest chain of dependent resources.

    python -m benchmarks.deploy [--recorded]

With ``--recorded`` the chain comes from the recorded graph, without Pulumi's command line, and no time is measured. The engine runs as in ``tests/engine``, without AWS, so the measured times are the engine's and the program's. The time that
AWS adds is estimated from the dependencies in the state and typical creation times (``preflight/changes/deploy_times.tsv``, with sources).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from preflight.analysis.check import run
from preflight.changes.times import ONE_CALL_SECONDS, returns_at_once, typical_times
from preflight.pulumi.project import Project
from preflight.sdk.wire import Wire
from tests.engine.harness import PACKS, REPOSITORY, Engine, custom, name_of

STACKS = ("staging", "prod")
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


def longest_chain(resources: Sequence[Wire], times: Mapping[str, int]) -> list[Step]:
    """The longest chain. A resource waits for its own dependencies and for those of its parents.

    One that waits for an ECS service waits for its call (``returns_at_once``), not for the first task: such a chain can end with the
    service, and does not go through its seconds.
    """
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
            seconds = _waited(resource, times)
            step = [Step(name_of(urn), resource["type"], seconds)] if resource["custom"] else []
            best[urn] = (before[0] + seconds, before[1] + step)
        return best[urn]

    def ending(urn: str) -> tuple[int, list[Step]]:
        """The chain that ends with the resource, and with the first task if it is a service."""
        seconds, steps = finish(urn)
        own = _seconds(by_urn[urn], times)
        if not steps or own == _waited(by_urn[urn], times):
            return seconds, steps
        return seconds - steps[-1].seconds + own, [*steps[:-1], replace(steps[-1], seconds=own)]

    return max((ending(urn) for urn in sorted(by_urn)), key=lambda chain: chain[0], default=nothing)[1]


def _seconds(resource: Wire, times: Mapping[str, int]) -> int:
    """Until it is there, and for a service until its first task answers."""
    return times.get(resource["type"], ONE_CALL_SECONDS) if resource["custom"] else 0


def _waited(resource: Wire, times: Mapping[str, int]) -> int:
    """How long another resource waits for it."""
    return ONE_CALL_SECONDS if returns_at_once(resource["type"], resource.get("inputs")) else _seconds(resource, times)


def slack(resources: Sequence[Wire], times: Mapping[str, int]) -> dict[str, int]:
    """Resource → by how many seconds it could take longer without making the longest chain longer."""
    by_urn = {resource["urn"]: resource for resource in resources}
    before = {urn: _waits_for(urn, by_urn) for urn in by_urn}
    after: dict[str, list[str]] = {urn: [] for urn in by_urn}
    for urn, others in before.items():
        for other in others:
            after[other].append(urn)

    def reach(urn: str, edges: Mapping[str, list[str]], known: dict[str, int]) -> int:
        if urn not in known:
            known[urn] = 0  # as in ``longest_chain``
            following = max((reach(other, edges, known) for other in edges[urn]), default=0)
            resource = by_urn[urn]
            if edges is after:  # what follows a service does not wait for its first task
                known[urn] = max(_seconds(resource, times), _waited(resource, times) + following)
            else:
                known[urn] = following + _waited(resource, times)
        return known[urn]

    from_start, to_end = dict[str, int](), dict[str, int]()
    through = {urn: reach(urn, before, from_start) + reach(urn, after, to_end) for urn in sorted(by_urn)}
    own = {urn: _waited(one, times) for urn, one in by_urn.items()}
    whole = sum(step.seconds for step in longest_chain(resources, times))
    return {urn: whole - (through[urn] - own[urn]) for urn in through}


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


def _print_chain(chain: Sequence[Step], resources: Sequence[Wire], times: Mapping[str, int]) -> None:
    _say(f"  longest chain on AWS: about {sum(step.seconds for step in chain) / 60:.1f} min")
    slow: Step | None = None
    for step in chain:
        mark = " slow" if step.seconds >= SLOW_SECONDS else ""
        _say(f"    {step.seconds:>4} s  {step.type.rpartition(':')[2]} {step.name}{mark}")
        if mark:
            if slow is not None:
                _say(f"            after {slow.name}: {REASONS.get((slow.type, step.type), 'NO REASON')}")
            slow = step
    on_it = {step.name for step in chain}
    for urn, seconds in sorted(slack(resources, times).items(), key=lambda item: (item[1], item[0])):
        own, name = times.get(urn.split("::")[2].rpartition("$")[2], ONE_CALL_SECONDS), name_of(urn)
        if own >= SLOW_SECONDS and name not in on_it:
            _say(f"    {own:>4} s  {name} is not on it: {seconds / 60:.1f} min to spare")


def _measure(stack: str, root: Path, times: Mapping[str, int]) -> list[str]:
    engine = Engine.create(root / stack, REPOSITORY, stack)
    first = engine.preview(packs=PACKS)
    up = engine.up("--skip-preview")
    second = engine.preview(packs=PACKS)
    resources = engine.resources()
    everything = custom(resources) + [r for r in resources if not r["custom"]]
    chain = longest_chain(everything, times)
    _say(f"\n{stack}: {len(resources)} resources")
    _say(f"  first preview with both packs   {first.seconds:6.1f} s")
    _say(f"  update without AWS's own time   {up.seconds:6.1f} s")
    _say(f"  preview without changes         {second.seconds:6.1f} s")
    _print_chain(chain, everything, times)
    return unexplained(chain)


def _recorded(times: Mapping[str, int]) -> list[str]:
    project = Project.load(REPOSITORY)
    recordings = run(project, [project.stack(name) for name in STACKS], lambda _: None, previews=False)
    found: list[str] = []
    for (stack, _), recording in recordings.items():
        resources: list[Wire] = [
            {
                "urn": one.urn,
                "type": one.type,
                "custom": one.custom,
                "parent": one.parent,
                "dependencies": list(one.dependencies),
                "inputs": one.inputs,
            }
            for one in recording.resources
        ]
        chain = longest_chain(resources, times)
        _say(f"\n{stack}: {len(resources)} resources")
        _print_chain(chain, resources, times)
        found += unexplained(chain)
    return found


def main() -> int:
    """Measure both environments. Exit 1 if slow resources wait without a documented reason, 2 without the Pulumi CLI."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--recorded", action="store_true", help="print the chain of the recorded graph and measure nothing"
    )
    if parser.parse_args().recorded:
        return _reported(_recorded(typical_times()))
    if shutil.which("pulumi") is None:
        _say("the pulumi command line is not on PATH: nothing measured", sys.stderr)
        return 2
    _say(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    times = typical_times()
    with tempfile.TemporaryDirectory() as folder:
        found = [pair for stack in STACKS for pair in _measure(stack, Path(folder), times)]
    return _reported(found)


def _reported(found: Sequence[str]) -> int:
    for pair in found:
        _say(f"slow resources in a row without a reason: {pair}", sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
