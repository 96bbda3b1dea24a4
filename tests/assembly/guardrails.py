"""What the guardrails report of a recorded stack, with the committed exceptions and perhaps further ones."""

from __future__ import annotations

import datetime as dt

import yaml

from local.stack import Stack
from policies.guardrails import exceptions
from policies.guardrails.evaluation import Report
from policies.guardrails.rules import RULES
from policies.guardrails.topology.graph.resources import Graph, Resource
from tests.own_pack import EXCEPTIONS, own_evaluation

TODAY = dt.datetime.now(tz=dt.UTC).date()


def reports(stack: Stack, more: str = "", today: dt.date = TODAY) -> list[Report]:
    """Every report on the stack and on each of its resources. ``more``: entries for the file of exceptions, as YAML."""
    committed = yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))["exceptions"]
    together = yaml.safe_dump({"exceptions": [*committed, *(yaml.safe_load(more) or [])]})
    read = exceptions.read(together, [rule.name for rule in RULES], today)
    evaluation = own_evaluation(today, read)
    resources = [Resource.from_recorded(one) for one in stack.recording.resources]
    found, _ = evaluation.on_stack(Graph(resources))
    return [*found, *(report for one in resources for report in evaluation.on_resource(one))]


def reported(stack: Stack, more: str = "", today: dt.date = TODAY) -> set[tuple[str, str]]:
    """Policy and resource of each finding that no exception allows."""
    return {
        (one.rule.name, one.finding.urn.rpartition("::")[2])
        for one in reports(stack, more, today)
        if one.exemption is None
    }
