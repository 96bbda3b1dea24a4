"""The two real stacks are equal except for what is declared, and each single change is exactly one precise finding."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.guardrails.evaluation import Report
from policies.guardrails.rule import Rule
from policies.guardrails.topology.graph.resources import Graph
from policies.parity import evaluate
from policies.parity.committed_shapes import from_files, to_files
from policies.parity.declarations import AllowedDifferences
from policies.parity.rules import ORDER, PROPERTIES, RESOURCES, RULES, SHAPES, UNKNOWN
from policies.parity.shape import shape_of
from preflight.analysis import behaviour, owners, parity
from preflight.analysis.check import Recordings, with_config
from preflight.analysis.connectivity import connectivity_of
from preflight.findings import Finding
from preflight.pulumi.project import Project, Stack
from preflight.recording.recorder import RecordedResource, Recording
from tests import once
from tests.tasks import interface_task

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project.load(ROOT)
ENVIRONMENTS = ("staging", "prod")


def recorded(*stacks: Stack) -> Recordings:
    return once.recordings(*stacks)


@pytest.fixture(scope="module")
def stacks() -> Recordings:
    return recorded(*map(PROJECT.stack, ENVIRONMENTS))


def findings(recordings: Recordings) -> list[Finding]:
    """What the check says about the environments against each other; the committed files follow from that."""
    compared = parity.compared(ROOT, recordings)
    known = {name: recordings[name, False] for name in ENVIRONMENTS}
    behaving = behaviour.differences(ENVIRONMENTS, known, connectivity_of(recordings, list(ENVIRONMENTS)))
    differing, left = behaviour.attributed(compared.findings, behaving)
    return [f for f in (*differing, *left) if f.rule != SHAPES.name]


def by_the_pack(recordings: Recordings, running: str) -> list[Report]:
    """What the pack says at ``pulumi up`` about the running stack: it has all outputs, and committed shapes."""
    recording = recordings[running, False]
    shape = shape_of(running, Graph.from_recorded(recording.resources))
    found = evaluate.of_running(shape, evaluate.committed_shapes(), allowed()).findings
    return [one for one in found if one.rule is not UNKNOWN]


def allowed() -> AllowedDifferences:
    return evaluate.declarations(parity._today())  # pyright: ignore[reportPrivateUsage]


Change = Callable[[RecordedResource], RecordedResource | list[RecordedResource] | None]


def changed(recordings: Recordings, stack: str, change: Change) -> Recordings:
    """The recordings with one stack's resources passed through ``change``."""
    resources: list[RecordedResource] = []
    for resource in recordings[stack, False].resources:
        after = change(resource)
        resources += after if isinstance(after, list) else [] if after is None else [after]
    other = replace(recordings[stack, False], resources=resources)
    return {**recordings, (stack, False): other}


def with_input(resource: RecordedResource, name: str, value: object) -> RecordedResource:
    inputs, outputs = copy.deepcopy(dict(resource.inputs)), copy.deepcopy(dict(resource.outputs))
    return replace(resource, inputs={**inputs, name: value}, outputs={**outputs, name: value})


# -- equal -------------------------------------------------------------------------------------------------------------


def test_the_environments_are_equal_except_for_declared_differences(stacks: Recordings) -> None:
    compared = parity.compared(ROOT, stacks)
    assert findings(stacks) == []
    count = sum(compared.parity.declared.values())
    assert compared.parity.verdict == f"equal except {count} declared differences"
    assert set(compared.parity.declared) == {entry.kind for entry in allowed().in_force}


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_each_stack_is_equal_to_the_other_ones_committed_shape(stacks: Recordings, stack: str) -> None:
    assert by_the_pack(stacks, stack) == []


# -- one change, one finding -------------------------------------------------------------------------------------------


def no_firewall(resource: RecordedResource) -> RecordedResource | None:
    return None if "ai-interface:index:Firewall" in resource.urn else resource


def another_endpoint(resource: RecordedResource) -> list[RecordedResource]:
    if resource.name != "endpoints-logs":
        return [resource]
    name = "endpoints-sts"
    service = {"serviceName": "com.amazonaws.eu-west-1.sts"}
    inputs, outputs = {**resource.inputs, **service}, {**resource.outputs, **service, "id": "vpce-0f0f0f0f0f0f0f0f0"}
    outputs = {**outputs, "arn": str(outputs["arn"]).rpartition("/")[0] + "/vpce-0f0f0f0f0f0f0f0f0"}
    urn = resource.urn.replace("endpoints-logs", name)
    return [
        resource,
        replace(resource, urn=urn, name=name, id="vpce-0f0f0f0f0f0f0f0f0", inputs=inputs, outputs=outputs),
    ]


def another_header(resource: RecordedResource) -> RecordedResource:
    name = "routingHttpResponseXFrameOptionsHeaderValue"
    return with_input(resource, name, "DENY") if resource.name == "edge-https" else resource


def another_action(resource: RecordedResource) -> RecordedResource:
    if resource.name != "models-task-policy":
        return resource
    document: dict[str, Any] = json.loads(resource.inputs["policy"])
    statement = next(s for s in document["Statement"] if s["Effect"] == "Allow")
    statement["Action"] = sorted([*statement["Action"], "bedrock:ListFoundationModels"])
    return with_input(resource, "policy", json.dumps(document))


@pytest.mark.parametrize(
    ("stack", "change", "rule", "headline"),
    [
        ("prod", no_firewall, RESOURCES, "Firewall exists in staging only"),
        ("staging", another_endpoint, RESOURCES, "ec2.VpcEndpoint endpoints-sts exists in staging only"),
        (
            "prod",
            another_header,
            PROPERTIES,
            "lb.Listener edge-https.routingHttpResponseXFrameOptionsHeaderValue differs",
        ),
        ("prod", another_action, PROPERTIES, "iam.RolePolicy models-task-policy.policy.Statement["),
    ],
    ids=["no firewall", "another endpoint", "another header", "another action"],
)
def test_one_change_in_one_environment_is_one_precise_finding(
    stacks: Recordings, stack: str, change: Change, rule: Rule, headline: str
) -> None:
    (found,) = findings(changed(stacks, stack, change))
    assert (found.rule, found.fails) == (rule.name, True)
    assert found.headline.startswith(headline)
    assert len(by_the_pack(changed(stacks, stack, change), stack)) == 1


def test_without_a_firewall_the_finding_says_how_ingress_changes(stacks: Recordings) -> None:
    (found,) = findings(changed(stacks, "prod", no_firewall))
    assert "ingress and egress differ" in found.witness


@pytest.mark.parametrize("key", ["applicationLogDays", "flowLogDays", "firewallLogDays"])
def test_less_retention_in_prod_than_in_staging_is_one_finding(stacks: Recordings, key: str) -> None:
    prod = PROJECT.stack("prod")
    retention = {**json.loads(prod.config["ai-interface:retention"]), key: 14}
    less = recorded(with_config(prod, {"ai-interface:retention": json.dumps(retention)}))
    (found,) = findings({**stacks, **less})
    assert found.rule == ORDER.name
    assert found.headline.startswith("cloudwatch.LogGroup ")
    assert found.headline.endswith(" is lower in prod than in staging")
    assert found.found.startswith("staging: 30; prod: 14")


def test_another_client_id_alone_is_no_difference(stacks: Recordings) -> None:
    """Each environment has another client at the identity provider; edge and proxy have the same one."""
    prod = PROJECT.stack("prod")
    identity = {**json.loads(prod.config["ai-interface:identity"]), "clientId": "0oa1b2c3D4e5F6"}
    other = recorded(with_config(prod, {"ai-interface:identity": json.dumps(identity)}))
    assert findings({**stacks, **other}) == []
    assert by_the_pack({**stacks, **other}, "prod") == []


def test_a_user_who_is_blocked_in_one_environment_is_no_difference(stacks: Recordings) -> None:
    prod = PROJECT.stack("prod")
    identity = {**json.loads(prod.config["ai-interface:identity"]), "blocked": {"users": ["0123456789abcdef"]}}
    other = recorded(with_config(prod, {"ai-interface:identity": json.dumps(identity)}))
    assert findings({**stacks, **other}) == []
    assert by_the_pack({**stacks, **other}, "prod") == []


def test_a_proxy_that_expects_another_client_than_the_edges_is_a_difference(stacks: Recordings) -> None:
    task = interface_task(stacks["prod", False])

    def other(resource: RecordedResource) -> RecordedResource:
        if resource is not task:
            return resource
        text = str(resource.inputs["containerDefinitions"])
        assert "ai-interface-prod" in text
        return with_input(resource, "containerDefinitions", text.replace('ai-interface-prod\\\\\\"', 'other\\\\\\"'))

    prod = changed(stacks, "prod", other)
    if prod["prod", False].resources == stacks["prod", False].resources:
        pytest.fail("nothing was changed")
    assert [f.rule for f in findings(prod)] == [PROPERTIES.name]


def test_preflight_checks_every_policy_that_the_pack_cannot(stacks: Recordings, tmp_path: Path) -> None:
    """Without a firewall in prod, and without a file of owners, each of them has something to report."""
    broken = changed(stacks, "prod", no_firewall)
    known = {name: broken[name, False] for name in ENVIRONMENTS}
    found = [
        *parity.compared(ROOT, broken).findings,
        *behaviour.differences(ENVIRONMENTS, known, connectivity_of(broken, list(ENVIRONMENTS))),
        *owners.stale(tmp_path, known),
    ]
    only = {rule.name for rule in RULES if rule.preflight_only}
    assert {one.rule for one in found} == {RESOURCES.name, *only}


# -- any number of environments ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three(stacks: Recordings) -> Mapping[str, Recording]:
    """A third real environment, before staging: staging's settings in another account and network, under another name."""
    staging = PROJECT.stack("staging")
    texts = {"111122223333": "777788889999", "10.20.": "10.40.", "staging": "dev", "STAGING": "DEVELOP"}

    def moved(text: str) -> str:
        for old, new in texts.items():
            text = text.replace(old, new)
        return text

    dev = replace(staging, name="dev", config={key: moved(value) for key, value in staging.config.items()})
    found = recorded(dev)
    return {"dev": found["dev", False], **{name: stacks[name, False] for name in ENVIRONMENTS}}


def shapes(recordings: Mapping[str, Recording]) -> dict[str, Any]:
    return parity.shapes_of({(name, False): recording for name, recording in recordings.items()})


def test_three_environments_are_compared_as_neighbours(three: Mapping[str, Recording]) -> None:
    ordered = replace(allowed(), environments=("dev", *ENVIRONMENTS))
    found = evaluate.of_all(shapes(three), ordered).findings
    assert [j.message.splitlines()[0] for j in found] == []


def test_a_change_in_one_of_three_is_one_finding_that_names_both_neighbours(three: Mapping[str, Recording]) -> None:
    ordered = replace(allowed(), environments=("dev", *ENVIRONMENTS))
    only_dev = changed({("dev", False): three["dev"]}, "dev", another_header)["dev", False]
    (found,) = evaluate.of_all(shapes({**three, "dev": only_dev}), ordered).findings
    assert found.message.splitlines()[1] == "found: dev: DENY; staging: SAMEORIGIN"


def test_three_committed_shapes_hold_each_running_stack(three: Mapping[str, Recording]) -> None:
    ordered = replace(allowed(), environments=("dev", *ENVIRONMENTS))
    files = to_files(shapes(three), ordered.skip())
    assert sorted(files) == ["dev.json", "prod.json", "shared.json", "staging.json"]
    for name, recording in three.items():
        running = shape_of(name, Graph.from_recorded(recording.resources))
        found = evaluate.of_running(running, from_files(files), ordered).findings
        assert [j.message for j in found if j.rule is not UNKNOWN] == []
