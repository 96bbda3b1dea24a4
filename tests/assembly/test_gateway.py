"""A committed stack with the gateway in place of Chat Completions: every policy holds, and every call has a way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assembly.gateway import IMAGE
from components.gateway.settings import PORT
from local.stack import Stack, recorded
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.network.addresses import TCP
from policies.guardrails.topology.reachability.facts.build import facts_of
from preflight.conform import order, permissions, reach, rollback_alarms, values
from preflight.recording.recorder import Recording
from releases import acceptance
from releases.manifest import Release, load_release
from settings import SettingsError
from tests.assembly.guardrails import reports
from tests.bootstrap.program import run_bootstrap
from tests.settings.stack_files import stack_file

STACK = "staging"
SECRET = "aws:secretsmanager/secret:Secret"
MODELS = "ai-interface:models"


def settings() -> dict[str, Any]:
    """Staging's models by the gateway."""
    given = stack_file(STACK)
    models, upstream = given[MODELS], {"kind": "gateway", "region": given["aws:region"]}
    return {**models, "groups": [{**group, "upstreams": [upstream]} for group in models["groups"]]}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging with the gateway."""
    return recorded(STACK, settings={MODELS: settings()})


@pytest.fixture(scope="module")
def graph(stack: Stack) -> Graph:
    """As the policies read it."""
    return Graph.from_recorded(stack.recording.resources)


def changed(recording: Recording, name: str, **inputs: object) -> Recording:
    """The recording with other inputs for one resource; ``None`` for the resource removes it."""
    resources = [
        replace(one, inputs={**one.inputs, **inputs}) if one.name == name else one
        for one in recording.resources
        if one.name != name or inputs
    ]
    return Recording(recording.project, recording.stack, preview=False, resources=resources)


def test_every_guardrail_holds(stack: Stack) -> None:
    told = reports(stack)
    assert [(one.rule.name, one.finding.urn) for one in told if one.exemption is None] == []
    excepted = {one.finding.urn.rpartition("::")[2] for one in told if one.rule.name == "secretsmanager-secrets-rotate"}
    assert excepted >= {one.name for one in stack.all(SECRET) if one.name.startswith("gateway-")}


def test_the_interfaces_tasks_and_the_synthetic_chat_alone_may_connect_to_the_gateway(graph: Graph) -> None:
    peers = facts_of(graph).peers
    (gateway,) = [peer for peer in peers.all if peer.resource.name == "gateway-service-service"]
    rules = list(peers.rules(gateway, ingress=True))
    assert [(rule.covers(TCP, PORT), bool(rule.addresses)) for rule in rules] == [(True, False)] * 2
    admitted = [{peer.resource.name for peer in peers.all if set(rule.groups) & set(peer.groups)} for rule in rules]
    assert sorted(admitted, key=sorted) == [{"service-service"}, {"synthetic-chat-schedule"}]
    assert not any(rule.covers(TCP, PORT + 1) for rule in rules)


def test_every_call_of_both_tasks_has_a_name_a_way_and_a_permission(stack: Stack) -> None:
    assert reach.findings(stack.recording) == []


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("gateway-registry", {}, "the client calls a host that does not exist in the network"),
        ("gateway-from-interface", {}, "the task cannot connect to the host that it calls"),
        ("gateway-from-interface-out", {}, "the task cannot connect to the host that it calls"),
    ],
)
def test_a_missing_part_of_the_way_to_the_gateway_is_found(
    stack: Stack, name: str, inputs: dict[str, object], expected: str
) -> None:
    found = reach.findings(changed(stack.recording, name, **inputs))
    assert any(expected in one.headline for one in found), [one.headline for one in found]


def test_aws_accepts_it_and_the_pipeline_may_deploy_it(stack: Stack) -> None:
    found = [
        *values.findings(stack.recording),
        *order.findings(stack.recording),
        *rollback_alarms.findings(stack.recording),
        *permissions.findings(stack.recording, run_bootstrap(STACK)),
    ]
    assert [one.headline for one in found] == []


def test_the_interfaces_role_calls_no_model(stack: Stack) -> None:
    policies = {one.name: one for one in stack.all("aws:iam/rolePolicy:RolePolicy") if "models" in one.name}
    assert set(policies) == {"models-gateway-policy"}


def test_a_release_without_its_image_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_gateway(version: str, directory: Path) -> Release:
        release = load_release(version, directory)
        images = {name: image for name, image in release.images.items() if name != IMAGE}
        return release.model_copy(update={"images": images})

    monkeypatch.setattr(acceptance, "load_release", without_gateway)
    with pytest.raises(SettingsError, match=f"a release with an image named {IMAGE}"):
        recorded(STACK, settings={MODELS: settings()})
