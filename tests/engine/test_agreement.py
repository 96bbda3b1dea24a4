"""The state of the real engine equals the graph of the offline one, and the packs report the same for both."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from preflight.sdk.wire import UNKNOWN, Json, Wire, mask
from tests.engine import exposure
from tests.engine.conftest import Deployed
from tests.engine.harness import PACKS, REPOSITORY, Engine, Outcome

pytestmark = pytest.mark.engine

# Differences that must exist, and why.
#
# - The provider's own reference: the engine gives each default provider a random id in each stack.
# - Names that the program leaves to the provider: pulumi-aws adds them to the inputs in Check, which mocks do not
#   call. The values are the same, since they come from the logical name; see `_given`.
# - A secret's value: the offline graph shows none. That the same places are secret is compared.
# - The stack's outputs and the default providers: registered by the engine and the language host themselves.
# - What a first preview cannot compare with the other environment yet: the offline check compares it with known values.
NOTED_BY_THE_ENGINE_ONLY = {("parity-of-unknown-values", "")}
# - Of a resource that one environment has alone, the engine's parity names the resource; ``check --stack`` says that the
#   committed shape is no longer current.
ONE_STACK_ALONE = {
    (
        "environments-have-the-same-resources",
        "urn:pulumi:staging::ai-interface::aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::shortcut-0.0.0.0/1",
    ),
    ("committed-shapes-are-current", ""),
}
KNOWN, FIRST_PREVIEW = "known values", "first preview"
PROVIDER_TYPES = ("pulumi:providers:", "pulumi:pulumi:Stack")


@cache
def _offline(command: str, stack: str, folder: Path = REPOSITORY) -> Json:
    words = [sys.executable, "-m", "preflight", command, *(["--stack", stack] if command == "check" else [stack])]
    done = subprocess.run(  # noqa: S603 - this project's own command
        [*words, "--format", "json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@cache
def _graph(stack: str) -> dict[str, Wire]:
    resources: list[Wire] = _offline("graph", stack)["resources"]
    return {r["urn"]: r for r in resources if not r["type"].startswith(PROVIDER_TYPES)}


def _state(engine: Engine) -> dict[str, Wire]:
    resources = engine.resources("--show-secrets")
    return {r["urn"]: r for r in resources if not r["type"].startswith(PROVIDER_TYPES)}


def _given(resource: Wire) -> Wire:
    """The inputs that the program gave, without those that the provider added; secrets masked as offline."""
    inputs: Wire = resource.get("inputs") or {}
    added = {*inputs.get("__defaults", []), "__defaults"}
    return {key: mask(value) for key, value in inputs.items() if key not in added}


def _same(deployed: Deployed, offline: Json, real: Json) -> None:
    """Compare resource by resource, so that a failure names the first differing ones instead of two whole graphs."""
    differing = {
        urn: (offline.get(urn), real.get(urn)) for urn in {*offline, *real} if offline.get(urn) != real.get(urn)
    }
    assert dict(sorted(differing.items())[:3]) == {}, f"{len(differing)} resources of {deployed.engine.stack} differ"


def test_both_engines_have_the_same_resources(deployed: Deployed) -> None:
    assert sorted(_state(deployed.engine)) == sorted(_graph(deployed.engine.stack))


@pytest.mark.parametrize("key", ["type", "parent", "custom"])
def test_every_resource_is_the_same_kind_in_the_same_place(deployed: Deployed, key: str) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    _same(deployed, {u: r[key] for u, r in graph.items()}, {u: r[key] for u, r in state.items()})


def test_every_resource_has_the_same_inputs(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: r["inputs"] for u, r in graph.items() if r["custom"]}
    _same(deployed, offline, {u: _given(r) for u, r in state.items() if r["custom"]})


def test_every_resource_has_the_same_id_and_computed_values(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: (r["id"], r["outputs"].get("arn")) for u, r in graph.items() if r["custom"]}
    _same(deployed, offline, {u: (r["id"], r["outputs"].get("arn")) for u, r in state.items() if r["custom"]})


def test_every_resource_waits_for_the_same_resources(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: sorted(r["dependencies"]) for u, r in graph.items()}
    _same(deployed, offline, {u: sorted(r.get("dependencies", [])) for u, r in state.items()})


def test_every_property_comes_from_the_same_resources(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: _filled(r["property_dependencies"]) for u, r in graph.items() if r["custom"]}
    _same(deployed, offline, {u: _filled(r.get("propertyDependencies")) for u, r in state.items() if r["custom"]})


def test_the_same_resources_are_protected(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = sorted(u for u, r in graph.items() if r["protect"])
    assert offline == sorted(u for u, r in state.items() if r.get("protect"))


def test_the_same_providers_are_used(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: r["provider"].rpartition("::")[0] for u, r in graph.items()}
    _same(deployed, offline, {u: r.get("provider", "").rpartition("::")[0] for u, r in state.items()})


def test_the_same_values_are_secret(deployed: Deployed) -> None:
    graph, state = _graph(deployed.engine.stack), _state(deployed.engine)
    offline = {u: sorted(_masked(r["inputs"])) for u, r in graph.items() if r["custom"]}
    _same(deployed, offline, {u: sorted(_masked(_given(r))) for u, r in state.items() if r["custom"]})


def test_nothing_unknown_is_left_in_the_state(deployed: Deployed) -> None:
    assert UNKNOWN not in json.dumps(list(_state(deployed.engine).values()))


def test_the_packs_block_neither_the_first_preview_nor_the_update(deployed: Deployed) -> None:
    outcomes = (deployed.first_preview, deployed.up, deployed.second_preview)
    assert [_verdicts(outcome, "mandatory") for outcome in outcomes] == [set(), set(), set()]


def test_the_packs_say_of_the_first_preview_what_the_offline_check_says(deployed: Deployed) -> None:
    said = _verdicts(deployed.first_preview)
    assert said - NOTED_BY_THE_ENGINE_ONLY == _offline_verdicts(deployed.engine.stack, FIRST_PREVIEW)


def test_the_packs_say_of_the_running_stack_what_the_offline_check_says(deployed: Deployed) -> None:
    assert _verdicts(deployed.second_preview) == _offline_verdicts(deployed.engine.stack, KNOWN)


def test_the_packs_say_the_same_of_the_exported_state(deployed: Deployed) -> None:
    analyzed = _analyzed(deployed.engine, code=0)
    assert _verdicts(analyzed) == _offline_verdicts(deployed.engine.stack, KNOWN)


def test_of_an_exposed_stack_engine_and_offline_check_say_the_same(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    exposure.open_the_task_port(engine)
    refused = engine.preview(packs=PACKS, code=1)
    offline = _offline_verdicts(engine.stack, KNOWN, engine.project)
    engine.up()
    analyzed = _analyzed(engine, code=1)
    assert exposure.POLICY in {policy for policy, _ in offline}
    assert _verdicts(refused, "mandatory") == _verdicts(analyzed, "mandatory")
    assert _verdicts(refused) - ONE_STACK_ALONE == offline - ONE_STACK_ALONE
    assert _verdicts(analyzed) - ONE_STACK_ALONE == offline - ONE_STACK_ALONE


def _analyzed(engine: Engine, *, code: int) -> Outcome:
    """The reports of both packs on the exported state."""
    engine.export()
    packs = [argument for pack in PACKS for argument in ("--policy-pack", pack)]
    file = str(engine.root / "export.json")
    outcome = engine.pulumi("policy", "analyze", "--file", file, *packs, "--json", code=code)
    said = [json.loads(line) for line in outcome.text.splitlines() if line.startswith("{")]
    return replace(outcome, events=said)


def _filled(dependencies: Wire | None) -> dict[str, list[str]]:
    return {key: sorted(urns) for key, urns in (dependencies or {}).items() if urns}


def _masked(value: Json, path: str = "") -> Iterable[str]:
    if isinstance(value, dict):
        for key, item in cast("Wire", value).items():
            yield from _masked(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Json]", value)):
            yield from _masked(item, f"{path}[{index}]")
    elif value == "[secret]":
        yield path


def _verdicts(outcome: Outcome, level: str = "") -> set[tuple[str, str]]:
    """Policy and resource of every diagnostic; what is said of the whole stack has no resource."""
    events = [event for event in outcome.policy_events() if level in ("", event["enforcementLevel"])]
    return {(event["policyName"], _resource(event.get("resourceUrn", ""))) for event in events}


def _offline_verdicts(stack: str, seen: str, folder: Path = REPOSITORY) -> set[tuple[str, str]]:
    """The same of ``preflight check``, for those that it sees with known values or in a first preview."""
    findings: list[Wire] = _offline("check", stack, folder)["findings"]
    packs = [finding for finding in findings if finding["pack"] and seen in finding["seen"]]
    return {(finding["rule"], _resource(finding["urn"])) for finding in packs}


def _resource(urn: str) -> str:
    return "" if "::pulumi:pulumi:Stack::" in urn else urn
