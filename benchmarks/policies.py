"""How long each policy takes on the real staging stack, and on many copies of it in one graph.

Run ``python -m benchmarks.policies [--copies N]``. Each copy is recorded with another project's name, so its names, ids and ARNs are its own
(25 copies are about 10,000 resources). What the policies share, such as the network's paths, is computed before and has a separate
line. ``growth`` is the time per resource in the large graph relative to the small one: 1 is linear, the number of copies
is quadratic.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import sys
import time
from pathlib import Path

from policies.guardrails.evaluation import Policy
from policies.guardrails.rules import RULES
from policies.guardrails.topology.graph.resources import Graph
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import RecordedResource

STACK = "staging"
SHARED = "what the policies share"
GROWTH = 3.0
"""The largest growth of a policy that takes more than ``NOTICEABLE_SECONDS``: more is not linear."""
NOTICEABLE_SECONDS = 0.05


def recorded(copies: int) -> list[list[RecordedResource]]:
    """The resources of each copy of the stack."""
    project = Project.load(Path.cwd())
    program.load(project)
    named = [dataclasses.replace(project, name=f"{project.name}-{number}") for number in range(copies)]
    found: list[list[RecordedResource]] = []
    for one in named:
        recordings = program.collect(program.start(one, [Run(one.stack(STACK), preview=False)]))
        found.append(recordings[STACK, False].resources)
    return found


def seconds(graph: Graph, repeat: int) -> dict[str, float]:
    """Processor seconds of each policy (the least of several) and of what they share."""
    policies = [Policy.of(rule) for rule in RULES]
    began = time.process_time()
    for policy in policies:
        policy.rule.evaluate(graph, policy.settings)
    first = time.process_time() - began
    found = dict.fromkeys((policy.rule.name for policy in policies), float("inf"))
    for _ in range(repeat):
        for policy in policies:
            began = time.process_time()
            policy.rule.evaluate(graph, policy.settings)
            found[policy.rule.name] = min(found[policy.rule.name], time.process_time() - began)
    return {SHARED: max(first - sum(found.values()), 0.0), **found}


def main() -> int:
    """Print the slowest policies; exit 1 if one that takes noticeable time is not linear."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--copies", type=int, default=25)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each policy; the best counts")
    parser.add_argument("--listed", type=int, default=15, metavar="N", help="print the N slowest")
    options = parser.parse_args()
    gc.disable()
    copies = recorded(options.copies)
    graphs = [Graph.from_recorded(copies[0]), Graph.from_recorded([one for copy in copies for one in copy])]
    small, large = (seconds(graph, options.repeat) for graph in graphs)
    sizes = [sum(1 for _ in graph) for graph in graphs]
    ratio = sizes[1] / sizes[0]
    growth = {name: large[name] / small[name] / ratio if small[name] else 0.0 for name in large}
    lines = [f"{len(RULES)} policies, {sizes[0]:,} and {sizes[1]:,} resources, processor time"]
    lines.append(f"{'ms':>8}  {'ms':>9}  {'growth':>6}")
    together = (1000 * sum(small.values()), 1000 * sum(large.values()))
    lines.append(f"{together[0]:>8.1f}  {together[1]:>9.1f}  {together[1] / together[0] / ratio:>6.2f}  all")
    for name in sorted(large, key=lambda one: -large[one])[: options.listed]:
        lines.append(f"{1000 * small[name]:>8.1f}  {1000 * large[name]:>9.1f}  {growth[name]:>6.2f}  {name}")
    slow = [name for name in large if large[name] > NOTICEABLE_SECONDS and growth[name] > GROWTH]
    lines.append(f"not linear: {', '.join(sorted(slow))}" if slow else "near linear: every policy")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
