"""Every alarm that a stack can have links to a section of the runbook that exists.

Some alarms exist only with an upstream of kind ``gateway`` or ``external``, so the committed stacks are not enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

import pytest

from components import monitoring
from policies.guardrails.topology.graph.resources import Graph
from tests.preflight.conform.graphs import STACKS, VARIANTS, program
from tests.settings.stack_files import ROOT

CASES = (*STACKS, *VARIANTS)
ALARM = "$aws:cloudwatch/metricAlarm:MetricAlarm::"
RUNBOOK = ROOT / "docs" / "runbook.md"
LINK = re.compile(r"What to do: \S+#([a-z0-9-]+)")
"""How alarms, notifications and event targets name their section: the anchor behind the runbook's URL."""


def texts(value: object) -> Iterator[str]:
    """Every string of a property, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, object]", value).values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from texts(item)


@cache
def links(case: str) -> dict[str, set[str]]:
    """URN of each resource of a stack or variant → the sections that it links to."""
    return {
        resource.urn: {anchor for text in texts(resource.properties) for anchor in LINK.findall(text)}
        for resource in Graph.from_recorded(program(case).resources)
    }


@pytest.mark.parametrize("case", CASES)
def test_every_alarm_links_to_a_section_of_the_runbook(case: str) -> None:
    sections = set(re.findall(r"^### ([a-z0-9-]+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    alarms = [urn for urn in links(case) if ALARM in urn]
    assert alarms
    assert [urn for urn in alarms if len(links(case)[urn]) != 1] == [], "an alarm without a link to the runbook"
    missing = {urn: sorted(found - sections) for urn, found in links(case).items() if found - sections}
    assert missing == {}, f"write the section ### <role> in {RUNBOOK.relative_to(ROOT)}"


def test_every_component_with_alarms_is_in_one_of_these_graphs() -> None:
    makers = {name for name in monitoring.__all__ if name.endswith("Alarms")}
    graphs = " ".join(urn for case in CASES for urn in links(case) if ALARM in urn)
    assert makers
    assert {name for name in makers if f":{name}$" not in graphs} == set(), (
        "its alarms' sections are not looked for: add a variant with it to tests/preflight/conform/graphs.py"
    )
