"""The state of the real engine equals the graph of the offline one, and the packs report the same for both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
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
NOTED_BY_THE_ENGINE_ONLY = {"parity-of-unknown-values"}
# - Of a resource that one environment has alone, the engine's parity names the resource; ``check --stack`` says that the
#   committed shape is no longer current.
ONE_STACK_ALONE = {"environments-have-the-same-resources", "committed-shapes-are-current"}
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
    assert [_policies(outcome, "mandatory") for outcome in outcomes] == [set(), set(), set()]


def test_the_packs_say_of_the_first_preview_what_the_offline_check_says(deployed: Deployed) -> None:
    offline = _offline_findings(deployed.engine.stack, FIRST_PREVIEW)
    _agree(deployed.first_preview, offline, without=NOTED_BY_THE_ENGINE_ONLY)


def test_the_packs_say_of_the_running_stack_what_the_offline_check_says(deployed: Deployed) -> None:
    _agree(deployed.second_preview, _offline_findings(deployed.engine.stack, KNOWN))


def test_the_packs_say_the_same_of_the_exported_state(deployed: Deployed) -> None:
    analyzed = _analyzed(deployed.engine, code=0)
    _agree(analyzed, _offline_findings(deployed.engine.stack, KNOWN))


def test_of_an_exposed_stack_engine_and_offline_check_say_the_same(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    exposure.open_the_task_port(engine)
    refused = engine.preview(packs=PACKS, code=1)
    offline = _offline_findings(engine.stack, KNOWN, engine.project)
    engine.up()
    analyzed = _analyzed(engine, code=1)
    assert exposure.POLICY in {finding["rule"] for finding in offline}
    # A preview and the offline check make one report of all that has one cause. An analysis of the state reports on each resource
    # before it knows the others.
    assert _policies(analyzed, "mandatory") == {*_policies(refused, "mandatory"), exposure.ON_ONE_RESOURCE}
    assert exposure.ON_ONE_RESOURCE not in {finding["rule"] for finding in offline}
    _agree(refused, offline, without=ONE_STACK_ALONE)
    _agree(analyzed, offline, without=(*ONE_STACK_ALONE, exposure.ON_ONE_RESOURCE))


def _analyzed(engine: Engine, *, code: int) -> Outcome:
    """The reports of both packs on the exported state."""
    engine.export()
    file = str(engine.root / "export.json")
    outcome = engine.pulumi("policy", "analyze", "--file", file, *engine.configured_packs(), "--json", code=code)
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


def _policies(outcome: Outcome, level: str) -> set[str]:
    return {event["policyName"] for event in outcome.policy_events() if event["enforcementLevel"] == level}


def _agree(outcome: Outcome, offline: list[Wire], without: Iterable[str] = ()) -> None:
    """Both report the same policies in the same places. The engine shows the resource of a diagnostic, and the further places
    of its cause as text; what concerns the whole stack has no resource."""
    findings = [finding for finding in offline if finding["rule"] not in set(without)]
    events = [event for event in outcome.policy_events() if event["policyName"] not in set(without)]
    shown = {(event["policyName"], _resource(event.get("resourceUrn", ""))) for event in events}
    further = {(event["policyName"], place) for event in events for place in _further(event["message"])}
    assert shown <= {(finding["rule"], _resource(finding["urn"])) for finding in findings}
    assert further <= {(finding["rule"], _place(finding)) for finding in findings}
    silent = [
        (finding["rule"], _place(finding))
        for finding in findings
        if (finding["rule"], _resource(finding["urn"])) not in shown
        and (finding["rule"], _place(finding)) not in further
    ]
    # A diagnostic names some of its places, and counts the others.
    unnamed = Counter(event["policyName"] for event in events for _ in range(_unnamed(event["message"])))
    assert Counter(rule for rule, _ in set(silent)) == unnamed


def _unnamed(message: str) -> int:
    """The number at the end of a diagnostic's line ``also (7): … and 2 more``."""
    return sum(int(found) for found in re.findall(r"^also \(.* and (\d+) more$", message, re.MULTILINE))


def _further(message: str) -> list[str]:
    """The places in a diagnostic's line ``also (2): …``."""
    lines = [line.partition(": ")[2] for line in message.splitlines() if line.startswith("also (")]
    return [place for line in lines for place in re.sub(r" and \d+ more$", "", line).split(", ")]


def _place(finding: Wire) -> str:
    """A finding's place as a diagnostic lists it."""
    return f"{finding['resource']}.{finding['property_path']}" if finding["property_path"] else finding["resource"]


def _offline_findings(stack: str, seen: str, folder: Path = REPOSITORY) -> list[Wire]:
    """The packs' findings in ``preflight check``, with known values or in a first preview."""
    findings: list[Wire] = _offline("check", stack, folder)["findings"]
    return [finding for finding in findings if finding["pack"] and seen in finding["seen"]]


def _resource(urn: str) -> str:
    return "" if "::pulumi:pulumi:Stack::" in urn else urn
