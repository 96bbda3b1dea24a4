"""Every alarm of both real stacks links to a section of the runbook that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

import pytest

from tests.topology.conftest import ROOT, recorded_graph

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


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_alarm_links_to_a_section_of_the_runbook(stack: str) -> None:
    sections = set(re.findall(r"^### ([a-z0-9-]+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    graph = recorded_graph(stack, False)
    links = {
        resource.urn: {anchor for text in texts(resource.properties) for anchor in LINK.findall(text)}
        for resource in graph
    }
    alarms = [alarm.urn for alarm in graph.of_type("cloudwatch.MetricAlarm")]
    assert alarms
    assert [urn for urn in alarms if len(links[urn]) != 1] == [], "an alarm without a link to the runbook"
    assert {urn: sorted(found - sections) for urn, found in links.items() if found - sections} == {}
