"""Which mutants are reported: by a finding that the unchanged stack does not have.

The guardrails evaluate the stack alone; parity compares it with the other environments, as ``make check`` does.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.parity import evaluate as parity
from policies.parity.shape import Shape, shape_of
from tests.mutation.operators import Mutant, Record, mutants
from tests.own_pack import own_evaluation

Key = tuple[str, ...]


class StackEvaluation:
    """The pack on one stack: resource policies on inputs, stack policies on the whole stack, as in a preview."""

    def __init__(self, records: Sequence[Record], today: dt.date) -> None:
        self._evaluation = own_evaluation(today)
        self._resources = {record["urn"]: Resource.from_recorded(record) for record in records}
        self._known = self._of(self._resources.values(), self._resources.values())

    def reports(self, mutant: Mutant) -> list[str]:
        """The policies that report the mutant, and not the stack without it."""
        changed = dict(self._resources)
        if mutant.changed is None:
            del changed[mutant.urn]
            alone: list[Resource] = []
        else:
            changed[mutant.urn] = Resource.from_recorded(mutant.changed)
            alone = [Resource.from_recorded({**mutant.changed, "outputs": None})]
        return sorted({key[0] for key in self._of(changed.values(), alone) - self._known})

    def _of(self, stack: Iterable[Resource], alone: Iterable[Resource]) -> set[Key]:
        reports, _ = self._evaluation.on_stack(Graph(stack))
        single = [report for resource in alone for report in self._evaluation.on_resource(resource)]
        return {
            (
                report.rule.name,
                report.finding.urn,
                report.finding.property,
                report.finding.verdict,
                report.finding.found,
            )
            for report in [*reports, *single]
            if not report.note.startswith("excepted")
        }


class Compared:
    """Parity between one stack, changed, and the others, unchanged."""

    def __init__(self, stack: str, stacks: Mapping[str, Sequence[Record]], today: dt.date) -> None:
        self._stack = stack
        self._allowed = parity.declarations(today)
        self._shapes = {name: _shape(name, records) for name, records in stacks.items()}
        self._records = {record["urn"]: record for record in stacks[stack]}
        self._known = self._of(self._shapes[stack])

    def reports(self, mutant: Mutant) -> bool:
        """Whether the change is an undeclared difference."""
        changed = {**self._records, mutant.urn: mutant.changed}
        shape = _shape(self._stack, [record for record in changed.values() if record is not None])
        return bool(self._of(shape) - self._known)

    def _of(self, shape: Shape) -> set[tuple[str, str]]:
        evaluated = parity.of_all({**self._shapes, self._stack: shape}, self._allowed)
        return {(found.finding.urn, found.message) for found in evaluated.findings}


def _shape(name: str, records: Sequence[Record]) -> Shape:
    declared = {record["urn"]: record["inputs"] for record in records}
    return shape_of(name, Graph.from_recorded(records), declared)


@dataclass(frozen=True, slots=True)
class Score:
    """The result for one stack's mutants."""

    reported: Counter[str]
    total: Counter[str]
    compared: int
    """How many of those that the guardrails do not report are reported by parity."""
    survivors: tuple[Mutant, ...]
    """The mutants that the guardrails alone do not report."""

    @property
    def guardrails_percent(self) -> float:
        """The share that the guardrails report."""
        return 100 * self.reported.total() / max(1, self.total.total())

    @property
    def percent(self) -> float:
        """The share that either reports."""
        return 100 * (self.reported.total() + self.compared) / max(1, self.total.total())


def score(
    stack: str,
    stacks: Mapping[str, Sequence[Record]],
    today: dt.date,
    chosen: Iterable[Mutant] | None = None,
) -> Score:
    """Evaluate every mutant of a stack, or the chosen ones."""
    records = stacks[stack]
    evaluate = StackEvaluation(records, today)
    others = Compared(stack, stacks, today)
    reported: Counter[str] = Counter()
    total: Counter[str] = Counter()
    compared = 0
    survivors: list[Mutant] = []
    for mutant in mutants(list(records)) if chosen is None else chosen:
        total[mutant.operator] += 1
        if evaluate.reports(mutant):
            reported[mutant.operator] += 1
        else:
            compared += others.reports(mutant)
            survivors.append(mutant)
    return Score(reported, total, compared, tuple(survivors))
