"""Grants to AWS services test only condition keys that the services are documented to send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from preflight.conform.sources import FILLED, POLICIES, UNSUPPORTED, findings
from preflight.recording.recorder import Recording
from tests.assembly.topologies import SHAPES, Shape, recorded
from tests.components.task_fixtures import build
from tests.preflight.conform.changed_graphs import STACKS, bootstrap, edited, stack

KEY, TOPIC = "aws:kms/key:Key", "aws:sns/topicPolicy:TopicPolicy"


@pytest.mark.parametrize("name", STACKS)
def test_no_grant_of_the_stacks_tests_what_its_service_leaves_out(name: str) -> None:
    assert findings(stack(name)) == []
    assert findings(bootstrap(name)) == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_grant_of_any_shape_does(shape: Shape) -> None:
    assert findings(recorded(shape)) == []


def _conditioned(type_: str, service: str, condition: dict[str, Any], name: str = "") -> Recording:
    """Prod, with this condition on what it grants to a service."""

    def edit(inputs: dict[str, Any]) -> None:
        content = json.loads(inputs["policy"])
        for statement in content["Statement"]:
            if statement["Effect"] == "Allow" and statement["Principal"] == {"Service": [service]}:
                statement["Condition"] = condition
        inputs["policy"] = json.dumps(content)

    return edited(stack("prod"), type_, edit, name)


@pytest.mark.parametrize("type_", [KEY, TOPIC])
def test_the_source_account_on_what_eventbridge_sends_to_an_encrypted_topic_is_found(type_: str) -> None:
    name = "operations-key" if type_ == KEY else ""
    account = {"StringEquals": {"aws:SourceAccount": ["444455556666"]}}
    (found,) = findings(_conditioned(type_, "events.amazonaws.com", account, name))
    kind, path = POLICIES[type_]

    assert found.rule == "conform-sources"
    assert found.headline.startswith(("operations-key.policy[", "operations-alarms-policy.policy["))
    assert found.found == f"aws:sourceaccount; {UNSUPPORTED['events', kind]}"
    assert FILLED["events", kind].source in found.wanted
    assert path == "policy"


def test_a_service_that_no_page_is_known_for_may_have_no_condition_at_all() -> None:
    def edit(inputs: dict[str, Any]) -> None:
        content = json.loads(inputs["policy"])
        grant = {"Sid": "New", "Effect": "Allow", "Principal": {"Service": "new.eu-west-1.amazonaws.com"}}
        content["Statement"].append({**grant, "Action": "sns:Publish", "Condition": {"Bool": {"aws:SourceArn": "a"}}})
        inputs["policy"] = json.dumps(content)

    (found,) = findings(edited(stack("prod"), TOPIC, edit))

    assert found.headline.startswith(
        "operations-alarms-policy.policy[New].Condition tests a key that new.amazonaws.com"
    )
    assert found.found == "aws:sourcearn; no AWS page documents that new sends them for a topic policy"


def test_every_use_in_the_table_is_one_that_a_stack_or_a_component_makes_or_has_a_page() -> None:
    assert all(one.source.startswith("https://docs.aws.amazon.com/") for one in FILLED.values())
    assert set(UNSUPPORTED) <= set(FILLED)
    assert {kind for kind, _ in POLICIES.values()} >= {kind for _, kind in FILLED}
    assert findings(build("operations")) == []
