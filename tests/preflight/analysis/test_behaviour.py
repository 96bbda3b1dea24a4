"""Real environments, one thing changed in one of them: what the comparison says, precisely."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.parity import evaluate
from policies.parity.rules import SHAPES
from preflight.analysis import behaviour, parity
from preflight.analysis.connectivity import connectivity_of
from preflight.recording.graph import graph, to_recording
from preflight.recording.recorder import Recording
from tests import once

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["staging", "prod"]
Entries = list[dict[str, Any]]
Runs = dict[tuple[str, bool], Recording]


@pytest.fixture(scope="module")
def runs() -> Runs:
    return once.recordings(*NAMES)


def changed(runs: Runs, stack: str, change: Callable[[Entries], Entries]) -> Runs:
    """The recordings with the resources of one stack changed."""
    content = json.loads(json.dumps(graph(runs[stack, False])))
    content["resources"] = change(content["resources"])
    return {**runs, (stack, False): to_recording(content)}


def differences(runs: Runs) -> list[str]:
    """The headlines of the undeclared differences of shape, and of behaviour."""
    found = parity.compared(ROOT, runs).findings
    known = {name: runs[name, False] for name in NAMES}
    behaving = behaviour.differences(NAMES, known, connectivity_of(runs, NAMES))
    return [f.headline for f in (*found, *behaving) if f.rule != SHAPES.name]


def edit(name: str, type_: str, update: Callable[[dict[str, Any]], None]) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        for entry in entries:
            if entry["name"] == name and entry["type"].endswith(f":{type_}"):
                update(entry["inputs"])
                entry["outputs"] = {**entry["outputs"], **entry["inputs"]}
        return entries

    return change


def test_the_environments_are_equal_but_for_what_is_declared(runs: Runs) -> None:
    assert differences(runs) == []
    assert parity.compared(ROOT, runs).parity.verdict.startswith("equal except ")


def test_removing_the_firewall_from_one_is_one_finding_of_shape_and_shows_in_ingress(runs: Runs) -> None:
    def without(entries: Entries) -> Entries:
        return [e for e in entries if "index:Firewall$" not in e["urn"]]

    found = differences(changed(runs, "prod", without))
    assert [h for h in found if "Firewall" in h] == ["Firewall exists in staging only"]
    assert "ingress and egress differ" in found


def test_adding_an_endpoint_to_one_is_one_finding_of_shape(runs: Runs) -> None:
    def more(entries: Entries) -> Entries:
        model = next(e for e in entries if e["name"] == "endpoints-logs")
        name = {**model["inputs"], "serviceName": model["inputs"]["serviceName"].replace("logs", "sqs")}
        return [*entries, {**model, "urn": model["urn"] + "-sqs", "name": "endpoints-sqs", "id": "vpce-1", "inputs": name,
                           "outputs": {**model["outputs"], **name, "id": "vpce-1", "arn": "arn:vpce-1"}}]  # fmt: skip

    found = differences(changed(runs, "prod", more))
    assert found == ["ec2.VpcEndpoint endpoints-sqs exists in prod only", "ingress and egress differ"]


def test_lowering_prods_retention_below_stagings_is_one_finding_that_no_declaration_allows(runs: Runs) -> None:
    lower = edit("network-flow", "LogGroup", lambda inputs: inputs.update(retentionInDays=7))
    assert differences(changed(runs, "prod", lower)) == [
        "cloudwatch.LogGroup network-flow.retentionInDays is lower in prod than in staging"
    ]


def test_changing_one_header_is_one_finding(runs: Runs) -> None:
    header = "routingHttpResponseXFrameOptionsHeaderValue"
    change = edit("edge-https", "Listener", lambda inputs: inputs.update({header: "DENY"}))
    assert differences(changed(runs, "prod", change)) == [f"lb.Listener edge-https.{header} differs"]


def test_changing_one_action_of_a_role_is_one_finding(runs: Runs) -> None:
    def widen(inputs: dict[str, Any]) -> None:
        document = json.loads(inputs["policy"])
        document["Statement"][0]["Action"] = [*document["Statement"][0]["Action"], "bedrock:CreateModel"]
        inputs["policy"] = json.dumps(document)

    found = differences(changed(runs, "staging", edit("models-task-policy", "RolePolicy", widen)))
    assert len(found) == 1
    assert found[0].startswith("iam.RolePolicy models-task-policy.policy.Statement[")
    assert found[0].endswith("].Action differs")


def test_changing_the_proxy_in_one_environment_is_one_finding_with_its_place(runs: Runs) -> None:
    def smaller(inputs: dict[str, Any]) -> None:
        inputs["containerDefinitions"] = inputs["containerDefinitions"].replace("x-user-email", "x-other-email")

    found = differences(changed(runs, "prod", edit("service-task", "TaskDefinition", smaller)))
    assert any('["email_header"] differs' in headline for headline in found)


def test_a_request_that_ends_differently_is_a_finding_with_both_ends(runs: Runs) -> None:
    def closed(inputs: dict[str, Any]) -> None:
        inputs["actions"] = [
            {"type": "fixed-response", "fixedResponse": {"statusCode": "404", "contentType": "text/plain"}}
        ]

    other = changed(runs, "prod", edit("edge-api-1", "ListenerRule", closed))
    known = {name: other[name, False] for name in NAMES}
    found = [f for f in behaviour.differences(NAMES, known, ()) if f.rule == behaviour.REQUESTS.name]
    assert found
    assert "by a client that is not logged in has a different outcome" in found[0].headline
    assert found[0].found.startswith("staging: answered 401 by edge-api-1; prod: answered 404")


def test_every_committed_shape_is_current(runs: Runs) -> None:
    stale = [f.headline for f in parity.compared(ROOT, runs).findings if f.rule == SHAPES.name]
    assert stale == [], f"run {parity.WRITE}"


def test_every_environment_has_a_committed_shape() -> None:
    assert set(evaluate.committed_shapes()) == set(NAMES)
