"""The settings say that a task definition is too large, before anything is made."""

from __future__ import annotations

import json

import pytest

import assembly
from assembly.task_size import largest_task
from components.service.task_definition import MAXIMUM_BYTES
from local.certificate import self_signed
from releases.acceptance import accepted
from settings import SettingsError, StackSettings
from tests.preflight.conform.changed_graphs import STACKS, stack
from tests.settings.stack_files import Values, changed, own_values, parse, stack_file
from tests.tasks import interface_task

TASK, BUDGET = "aws:ecs/taskDefinition:TaskDefinition", "aws:budgets/budget:Budget"


def _settings(name: str, **changes: object) -> StackSettings:
    values = changed(own_values(name), {key.replace("__", "."): value for key, value in changes.items()})
    return parse(values, environment=name, accounts=stack_file(name)["aws:allowedAccountIds"])


def _upstreams(count: int) -> list[Values]:
    authority = self_signed("models.example.internal").certificate
    return [
        {
            "kind": "private",
            "hostName": f"models-{number}.example.internal",
            "securityGroupId": "sg-0123456789abcdef0",
            "caCertificate": authority,
        }
        for number in range(count)
    ]


def _group(count: int) -> list[Values]:
    return [{"name": "general", "models": ["openai.gpt-oss-120b-1:0"], "upstreams": _upstreams(count)}]


@pytest.mark.parametrize("name", STACKS)
def test_what_is_foreseen_is_what_is_registered_and_a_percent_more_at_the_most(name: str) -> None:
    settings = _settings(name)
    task = interface_task(stack(name))
    registered = len(task.inputs["containerDefinitions"].encode())
    size, shares = largest_task(settings, *accepted(settings))

    assert registered <= size <= 1.02 * registered
    assert list(shares) == [one["name"] for one in json.loads(task.inputs["containerDefinitions"])]


def test_a_task_definition_that_aws_would_refuse_names_its_setting_and_its_size() -> None:
    settings = _settings("staging", application="open-webui", models__groups=_group(20))
    with pytest.raises(SettingsError) as caught:
        assembly.check_task_size(settings, *accepted(settings))
    (problem,) = caught.value.problems

    assert problem.key == "ai-interface:models.groups"
    assert problem.value.startswith("1 groups with 20 upstreams: a task definition of ")
    assert str(MAXIMUM_BYTES) in problem.allowed
    assert "caCertificate" in problem.fix
    assert "CERTIFICATE-----" not in str(caught.value)


def test_one_upstream_fits() -> None:
    settings = _settings("staging", models__groups=_group(1))

    assembly.check_task_size(settings, *accepted(settings))
    assert largest_task(settings, *accepted(settings))[0] < MAXIMUM_BYTES


def test_the_budget_counts_what_the_settings_name() -> None:
    (budget,) = stack("prod").of_type(BUDGET)

    assert budget.inputs["costFilters"] == [
        {"name": "Service", "values": list(_settings("prod").models.billed_services)}
    ]
    named = _settings("prod", models__billedServices=["Amazon Bedrock", "A Model (Amazon Bedrock Edition)"])
    assert named.models.billed_services == ("Amazon Bedrock", "A Model (Amazon Bedrock Edition)")
