"""``docs/offline.md`` states what the recorded stacks set, and what they leave at the application's default."""

from __future__ import annotations

import json
import re

import pytest

from tests.preflight.conform.graphs import STACKS, environment
from tests.settings.stack_files import ROOT
from tests.tasks import interface_task

DOCUMENT = (ROOT / "docs" / "offline.md").read_text(encoding="utf-8")
STATED = dict(re.findall(r"`([A-Z_]+)=([^`]+)`", DOCUMENT))
UNSET = {
    name
    for names in re.findall(r"((?:`[A-Z_]+`(?:, )?)+) unset", DOCUMENT)
    for name in re.findall(r"[A-Z_]{3,}", names)
}


def variables(stack: str) -> dict[str, str]:
    task = interface_task(environment(stack))
    containers = json.loads(str(task.inputs["containerDefinitions"]))
    (interface,) = [one for one in containers if one["name"] == "interface"]
    return {str(one["name"]): str(one["value"]) for one in interface["environment"]}


@pytest.mark.parametrize("stack", STACKS)
def test_the_table_states_what_the_stack_sets(stack: str) -> None:
    assert len(STATED) > 9
    assert {name: variables(stack).get(name) for name in STATED} == STATED


@pytest.mark.parametrize("stack", STACKS)
def test_what_the_table_calls_unset_is_not_set(stack: str) -> None:
    assert len(UNSET) > 6
    assert sorted(UNSET & set(variables(stack))) == []
