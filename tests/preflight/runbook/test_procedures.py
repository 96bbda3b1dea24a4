"""What the procedures say about the stack holds in its recorded graph."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from preflight.conform.iam import reference
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap
from tests.preflight.conform.graphs import STACKS, program
from tests.preflight.runbook.pages import CASES, page_of, subjects

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MODEL_CALL = re.compile(r"bedrock:Invoke|bedrock:Converse|bedrock-mantle:CreateInference")


def stops(case: str) -> dict[str, dict[str, Any]]:
    """Role → the policy that a command of the cost stop attaches to it."""
    found: dict[str, dict[str, Any]] = {}
    for subject in ("cost-stop", "cost-stop-of-the-gateway"):
        for section in page_of(case, subject).sections if subject in subjects(case) else ():
            for line in section.text.splitlines():
                if line.strip().startswith("aws iam put-role-policy") and "stop-model-calls" in line:
                    words = shlex.split(line)
                    found[words[words.index("--role-name") + 1]] = json.loads(
                        words[words.index("--policy-document") + 1]
                    )
    return found


def statements(recording: Recording) -> Iterator[tuple[str, dict[str, Any]]]:
    """Role and statement of every policy of a role that allows something."""
    for policy in recording.of_type(ROLE_POLICY):
        inputs: Any = unwrap(policy.inputs)
        for statement in json.loads(inputs["policy"])["Statement"]:
            if statement["Effect"] == "Allow":
                yield str(inputs["role"]), statement


def denied(document: dict[str, Any], action: str) -> bool:
    return any(
        one["Effect"] == "Deny"
        and one["Resource"] == "*"
        and "Condition" not in one
        and any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in one["Action"])
        for one in document["Statement"]
    )


@pytest.mark.parametrize("case", CASES)
def test_the_cost_stop_denies_every_call_of_a_model_that_a_role_may_make_and_nothing_else(case: str) -> None:
    documents = stops(case)
    allowed = [(role, action) for role, one in statements(program(case)) for action in one["Action"]]
    calls = [(role, action) for role, action in allowed if MODEL_CALL.match(action)]
    assert calls or case == "a provider on the internet"
    assert [
        (role, action) for role, action in calls if not denied(documents.get(role, {"Statement": []}), action)
    ] == []
    others = [(role, action) for role, action in allowed if not MODEL_CALL.match(action)]
    assert [(role, action) for role, action in others if role in documents and denied(documents[role], action)] == []
    for document in documents.values():
        for statement in document["Statement"]:
            assert [action for action in statement["Action"] if not reference.matching(action)] == []


def test_no_role_lists_its_policies_so_that_an_update_does_not_remove_the_stop() -> None:
    roles = [role for stack in STACKS for role in program(stack).of_type("aws:iam/role:Role")]
    exclusive = [one for stack in STACKS for one in program(stack).resources if one.type.endswith("Exclusive")]
    assert roles
    assert [role.name for role in roles if role.inputs.get("inlinePolicies")] == []
    assert exclusive == []


def test_a_stack_with_a_provider_on_the_internet_has_the_command_that_stops_the_egress_proxy() -> None:
    text = "\n".join(one.text for one in page_of("a provider on the internet", "cost-stop").sections)
    (service,) = [
        one.inputs["name"]
        for one in program("a provider on the internet").of_type("aws:ecs/service:Service")
        if one.inputs["name"] != "interface"
    ]
    assert f"--service {service} --desired-count 0" in text


@pytest.mark.parametrize("stack", STACKS)
def test_a_zone_can_be_shifted_away_from(stack: str) -> None:
    (balancer,) = program(stack).of_type("aws:lb/loadBalancer:LoadBalancer")
    (service,) = program(stack).of_type("aws:ecs/service:Service")
    assert balancer.inputs["enableZonalShift"] is True
    assert service.inputs["availabilityZoneRebalancing"] == "ENABLED"
    text = "\n".join(one.text for one in page_of(stack, "a-zone-is-lost").sections)
    assert f"start-zonal-shift --resource-identifier {balancer.outputs['arn']}" in text


@pytest.mark.parametrize("case", CASES)
def test_every_generated_secret_has_a_rotation_that_replaces_the_key_that_it_is_made_from(case: str) -> None:
    seeds = {
        one.urn
        for one in program(case).resources
        if one.type == "tls:index/privateKey:PrivateKey"
        # The authority's key replaces what it signs.
        and not re.search(r"-(client-)?private-key$", one.name)
    }
    text = "\n".join(one.text for subject in subjects(case) for one in page_of(case, subject).sections)
    assert {urn for urn in seeds if f"--replace '{urn}'" not in text} == set()
