"""The verdict table over public programs, and the graphs of facts that it is about.

``graphs/<program>.json`` has the resources that a public program registers: types, the properties that AWS acts on, and
references. Names are generic, and texts such as descriptions, code and start-up scripts are left out: no source of the
program is here. Each was recorded once, in a run of the program in its own language against a recording monitor, or of its
YAML declarations; the finding counts were the same for the recording and for the facts.

The start of a program's name is its repository (``examples``, ``templates`` and ``workshops`` of Pulumi, ``pulumi-eks``,
``jaxxstorm`` for its ``pulumi-examples``), the rest the folder. Programs in Go were transcribed from their registrations.
Components of AWSX and EKS were constructed by their own providers; ``pulumi-eks_fargate`` ends where the program reads a
kubeconfig.

``verdicts.tsv`` has one line for each program: name, language, resources, mandatory findings by policy, lines of advice, the
reviewer's verdict (``right`` or ``not right``) and its reason. ``python -m tests.policies.public.table --write`` counts
again; a line whose mandatory findings change has to be reviewed again.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

from policies.guardrails.configuration import policies
from policies.guardrails.evaluation import Report
from policies.guardrails.grouping import grouped, message, once
from policies.guardrails.profiles import Profile
from policies.guardrails.rule import Level
from policies.guardrails.rules import RULES
from policies.guardrails.server import evaluation
from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.sdk.wire import UNKNOWN, Json, Wire

FOLDER = Path(__file__).parent
GRAPHS, TABLE = FOLDER / "graphs", FOLDER / "verdicts.tsv"
TODAY = dt.date(2026, 11, 30)
TO_REVIEW = "to review"
VERDICTS = ("right", "not right")


@dataclass(frozen=True, slots=True)
class Row:
    """One program's line."""

    program: str
    language: str
    resources: str
    mandatory: str
    advice: str
    verdict: str
    why: str


def rows() -> list[Row]:
    """The committed table."""
    return [Row(*line.split("\t")) for line in TABLE.read_text(encoding="utf-8").splitlines()]


@cache
def resources(program: str) -> tuple[Wire, ...]:
    """What a program registers, with known values."""
    return tuple(json.loads((GRAPHS / f"{program}.json").read_text(encoding="utf-8")))


def in_a_first_preview(program: str) -> tuple[Wire, ...]:
    """The same before anything exists: every computed value, and every input made of one, is unknown."""
    computed = {value for entry in resources(program) if not entry.get("external") for value in _computed(entry)}
    return tuple(
        entry
        if entry.get("external")
        else {
            **entry,
            "inputs": _without(entry["inputs"], computed),
            "outputs": dict.fromkeys(entry.get("outputs", {}), UNKNOWN),
            "id": "",
        }
        for entry in resources(program)
    )


def _computed(entry: Wire) -> Iterator[str]:
    for value in (entry.get("id"), *entry.get("outputs", {}).values()):
        if isinstance(value, str) and len(value) > len("subnet"):
            yield value


def _without(value: Json, computed: set[str]) -> Json:
    if isinstance(value, dict):
        return {key: _without(item, computed) for key, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [_without(item, computed) for item in cast("list[Json]", value)]
    return UNKNOWN if isinstance(value, str) and any(literal in value for literal in computed) else value


def reports(entries: tuple[Wire, ...], profile: Profile = Profile.EXPOSURE, *, preview: bool = False) -> list[Report]:
    """What the pack reports: of each resource's inputs, and of the whole stack."""
    evaluated_by = evaluation(policies(RULES, {}, {"guardrails:profile": str(profile)}), TODAY)
    managed = [entry for entry in entries if not entry.get("external")]
    alone = (Resource.from_recorded({**entry, "outputs": None}) for entry in managed)
    graph = Graph.from_recorded(
        {**entry, "outputs": {**entry["inputs"], **entry.get("outputs", {})}} if entry.get("custom", True) else entry
        for entry in entries
    )
    found = [report for resource in alone for report in evaluated_by.on_resource(resource, preview=preview)]
    return once([*evaluated_by.on_stack(graph)[0], *found], graph)


def mandatory(found: list[Report]) -> Counter[str]:
    """The number of mandatory findings by policy."""
    return Counter(report.rule.name for report in found if report.level is Level.MANDATORY)


def screen(found: list[Report]) -> str:
    """What a terminal shows: every report of one cause with its policy, worst first."""
    return "\n".join(f"[{group[0].level}] {group[0].rule.name}\n{message(group)}" for group in grouped(found))


def counted(row: Row) -> Row:
    """The row with today's counts; its verdict is void if the mandatory findings are others."""
    entries = resources(row.program)
    found = reports(entries)
    by_policy = mandatory(found)
    listed = ", ".join(f"{name} {number}" for name, number in sorted(by_policy.items())) or "none"
    advice = sum(report.level is Level.ADVISORY for report in found)
    changed = replace(row, resources=str(len(entries)), mandatory=listed, advice=str(advice))
    return changed if row.mandatory == listed else replace(changed, verdict=TO_REVIEW)


def written() -> str:
    """The table with today's counts."""
    return "".join("\t".join(astuple(counted(row))) + "\n" for row in rows())


if __name__ == "__main__":
    text = written()
    if "--write" in sys.argv:
        TABLE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
