"""Which mutants the guardrails report: a finding that the unchanged stack does not have."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies.guardrails import exceptions
from policies.guardrails.evaluation import Evaluation, Policy
from policies.guardrails.rules import RULES
from policies.guardrails.topology.resources import Graph, Resource
from tests.mutation.operators import Mutant, Record, mutants

Key = tuple[str, ...]


class Judge:
    """The pack over one stack: resource policies on inputs, stack policies on the whole, as a preview runs them."""

    def __init__(self, records: Sequence[Record], today: dt.date) -> None:
        text = exceptions.FILE.read_text(encoding="utf-8")
        names = [rule.name for rule in RULES]
        self._evaluation = Evaluation([Policy.of(rule) for rule in RULES], exceptions.read(text, names, today))
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


@dataclass(frozen=True, slots=True)
class Score:
    """What one stack's mutants came to."""

    reported: Counter[str]
    total: Counter[str]
    survivors: tuple[Mutant, ...]
    by_policy: Counter[str]

    @property
    def percent(self) -> float:
        """The share of reported mutants."""
        return 100 * self.reported.total() / max(1, self.total.total())


def score(records: Sequence[Record], today: dt.date, chosen: Iterable[Mutant] | None = None) -> Score:
    """Judge every mutant of a stack, or the chosen ones."""
    judge = Judge(records, today)
    reported: Counter[str] = Counter()
    total: Counter[str] = Counter()
    by_policy: Counter[str] = Counter()
    survivors: list[Mutant] = []
    for mutant in mutants(list(records)) if chosen is None else chosen:
        total[mutant.operator] += 1
        if policies := judge.reports(mutant):
            reported[mutant.operator] += 1
            by_policy.update(policies)
        else:
            survivors.append(mutant)
    return Score(reported, total, tuple(survivors), by_policy)
