"""The parity pack as a process that Pulumi's engine starts (``policies.guardrails.analyzer``)."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from policies.guardrails.analyzer import Pack, serve
from policies.guardrails.evaluation import Policy, Report, identity_of
from policies.guardrails.rule import Level, Rule
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.parity import evaluate
from policies.parity.declarations import AllowedDifferences
from policies.parity.rules import IN_THE_PACK, OF_RELEASES, PACK
from policies.parity.shape import Shape, shape_of

VERSION = "0.1.0"


class StackComparison:
    """Runs the comparison of a stack once for all policies."""

    def __init__(self, policies: Sequence[Policy], committed: Mapping[str, Shape], allowed: AllowedDifferences) -> None:
        self._levels = {policy.rule.name: policy.level for policy in policies}
        self._committed = committed
        self._allowed = allowed

    def on_resource(self, resource: Resource, *, preview: bool) -> list[Report]:
        """Return nothing: no parity policy checks a single resource."""
        return []

    def on_stack(self, graph: Graph) -> tuple[list[Report], list[tuple[Rule, str]]]:
        """Compare the running stack with the committed shape of every other environment, and its release with the
        record."""
        environment, _ = identity_of(graph)
        if not environment:
            return [], []
        running = shape_of(environment, graph)
        found = evaluate.of_release(running, self._allowed)
        idle: list[tuple[Rule, str]] = []
        if self._committed.keys() - {environment}:
            found += evaluate.of_running(running, self._committed, self._allowed).findings
        else:
            reason = "no other environment has a committed shape"
            idle = [(rule, reason) for rule in IN_THE_PACK if rule not in OF_RELEASES]
        leveled = [replace(report, level=self._levels[report.rule.name]) for report in found]
        return [report for report in leveled if report.level is not Level.DISABLED], idle


def pack(committed: Mapping[str, Shape], allowed: AllowedDifferences) -> Pack:
    """The pack with these committed shapes and declared differences."""
    return Pack(
        PACK,
        "AI interface parity",
        VERSION,
        IN_THE_PACK,
        lambda policies: StackComparison(policies, committed, allowed),
    )


def main() -> None:
    """Serve the pack until the engine ends the process."""
    # Imported while the program runs, because it takes as long as evaluating a stack. A project may have copied the pack without it.
    with contextlib.suppress(ImportError):
        importlib.import_module("policies.parity.released")
    serve(pack(evaluate.committed_shapes(), evaluate.declarations(dt.datetime.now(dt.UTC).date())))
