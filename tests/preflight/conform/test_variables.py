"""``conform-variables``: every variable of the preset is there, and the containers of a task agree."""

from __future__ import annotations

import json

import pytest

from preflight.conform.stack_file import declared_variables, preset_of
from preflight.conform.variables import RULE, findings
from preflight.recording.recorder import Recording
from tests.assembly.topologies import ELSEWHERE, recorded
from tests.bootstrap.program import run_bootstrap
from tests.database.deployed import STACKS, deployed
from tests.preflight.conform.editing import Inputs, edited, in_container

TASK = "aws:ecs/taskDefinition:TaskDefinition"
PLACE = "ecs.TaskDefinition service-task.containerDefinitions"
DECLARED = declared_variables(preset_of("staging"))


def without(container: str, name: str) -> Recording:
    """Staging, with a variable or secret of a container left out."""

    def edit(found: Inputs) -> None:
        before = len(found["environment"]) + len(found["secrets"])
        for key in ("environment", "secrets"):
            found[key] = [one for one in found[key] if one["name"] != name]
        assert len(found["environment"]) + len(found["secrets"]) == before - 1, name

    return edited(deployed("staging").recording, TASK, "service-task", in_container(container, edit))


@pytest.mark.parametrize("stack", STACKS)
def test_the_real_stacks_have_them_all(stack: str) -> None:
    assert findings(deployed(stack).recording) == []


def test_another_topology_and_bootstrap_have_nothing_to_find() -> None:
    assert findings(run_bootstrap("staging")) == []
    assert findings(recorded(ELSEWHERE[0])) == []


@pytest.mark.parametrize("name", sorted(DECLARED.always | DECLARED.shared))
def test_a_variable_that_the_application_lacks_is_found(name: str) -> None:
    found = findings(without("interface", name))
    assert [(one.rule, one.headline) for one in found] == [
        (RULE, f"{PLACE}[interface].environment[{name}]: the variable is missing")
    ]


@pytest.mark.parametrize("name", sorted(DECLARED.prepared))
def test_a_variable_that_prepare_lacks_is_found(name: str) -> None:
    found = findings(without("prepare", name))
    assert [one.headline for one in found] == [f"{PLACE}[prepare].environment[{name}]: the variable is missing"]


@pytest.mark.parametrize("name", sorted(DECLARED.agreed))
@pytest.mark.parametrize("container", ["interface", "prepare"])
def test_containers_that_disagree_are_found(container: str, name: str) -> None:
    def edit(found: Inputs) -> None:
        for one in found["environment"]:
            if one["name"] == name:
                one["value"] += "0"

    changed = edited(deployed("staging").recording, TASK, "service-task", in_container(container, edit))
    (found,) = findings(changed)
    assert found.headline == f"{PLACE}[interface].environment[{name}]: the containers of the task differ"
    values = [deployed("staging").environment(one)[name] for one in ("interface", "prepare")]
    assert values[0] == values[1]
    assert f"{values[0]}0" in found.found


def test_a_task_that_prepares_no_database_needs_no_variables_for_it() -> None:
    def edit(found: Inputs) -> None:
        plan = next(one for one in found["environment"] if one["name"] == "PREPARE_PLAN")
        plan["value"] = json.dumps({**json.loads(plan["value"]), "database": None})
        found["environment"] = [plan]
        found["secrets"] = []

    assert findings(edited(deployed("staging").recording, TASK, "service-task", in_container("prepare", edit))) == []


def test_another_application_is_not_checked() -> None:
    def edit(found: Inputs) -> None:
        found["environment"] = [{"name": "SOMETHING_ELSE", "value": "1"}]
        found["secrets"] = []

    assert findings(edited(deployed("staging").recording, TASK, "service-task", in_container("interface", edit))) == []
