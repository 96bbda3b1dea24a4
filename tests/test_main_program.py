"""The real program with every stack file, as the engine runs it, and with one fault at a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from preflight.fakes.fakes import RESOURCES
from preflight.pulumi import program
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.pulumi.project import Project
from preflight.recording.graph import graph
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import UNKNOWN, Json, secret
from tests.copies import copy_of_project
from tests.engine.package_schema import PINNED
from tests.own_pack import own_configuration

ROOT = Path(__file__).resolve().parents[1]
STACKS = Project.load(ROOT).stacks()
Runs = dict[tuple[str, bool], Recording]


@pytest.fixture(scope="module")
def runs() -> Runs:
    """Every stack with known values and as a first preview."""
    project = Project.load(ROOT)
    program.load(project)
    return program.collect(
        program.start(project, [program.Run(project.stack(s), preview) for s in STACKS for preview in (False, True)])
    )


def test_there_is_more_than_one_environment() -> None:
    assert {"prod", "staging"} <= set(STACKS)


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_the_program_registers_a_whole_stack(runs: Runs, stack: str, preview: bool) -> None:
    types = {resource.type for resource in runs[stack, preview].resources}
    assert {
        "aws:ec2/vpc:Vpc", "aws:lb/loadBalancer:LoadBalancer", "aws:wafv2/webAcl:WebAcl",
        "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition", "aws:ec2/vpcEndpoint:VpcEndpoint",
    } <= types  # fmt: skip


@pytest.mark.parametrize("stack", STACKS)
def test_a_first_preview_registers_the_same_resources_with_the_same_wiring(runs: Runs, stack: str) -> None:
    known, preview = runs[stack, False].resources, runs[stack, True].resources
    assert [(r.urn, r.property_dependencies, r.parent) for r in known] == [
        (r.urn, r.property_dependencies, r.parent) for r in preview
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_of_the_stack_has_faithful_computed_values(runs: Runs, stack: str) -> None:
    used = {r.type for r in runs[stack, False].resources if r.custom and not r.type.startswith("pulumi:")}
    assert used - set(RESOURCES) == set()


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_the_line_of_the_project_that_made_it(runs: Runs, stack: str) -> None:
    resources = [r for r in runs[stack, False].resources if not r.type.startswith("pulumi:")]
    missing = [r.urn for r in resources if not (ROOT / r.source_file).is_file() or r.source_line < 1]
    assert missing == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_resource_is_an_orphan(runs: Runs, stack: str) -> None:
    urns = {r.urn for r in runs[stack, False].resources}
    orphans = [r.urn for r in runs[stack, False].resources if r.parent not in urns and not r.type.startswith("pulumi:")]
    assert orphans == []


@pytest.mark.parametrize("stack", STACKS)
def test_known_values_hold_no_unknown_and_no_none(runs: Runs, stack: str) -> None:
    content = graph(runs[stack, False])
    assert UNKNOWN not in str(content)
    assert [r["urn"] for r in content["resources"] if None in r["inputs"].values()] == []


# -- one thing broken: the packs over the wire, with known and with unknown values ------------------------------------


@pytest.fixture(scope="module")
def guardrails() -> Iterator[AnalyzerClient]:
    """Started as for a preview, which is the gate before a deployment."""
    with AnalyzerClient.start(
        ROOT / "policies" / "guardrails", stack=STACKS[0], dry_run=True, config=own_configuration()
    ) as pack:
        yield pack


def failing(pack: AnalyzerClient, resources: list[RecordedResource] | list[Json]) -> str:
    """The messages of the mandatory findings."""
    return "\n\n".join(d.message for d in pack.check(resources) if d.enforcement == "mandatory")


def added(recording: Recording, like: str, name: str, **inputs: Json) -> list[Json]:
    """The recorded resources and a copy of one of them with other inputs."""
    entries: list[Json] = graph(recording)["resources"]
    model = next(entry for entry in entries if entry["name"] == like)
    copy = {**model, "name": name, "urn": model["urn"].rpartition("::")[0] + f"::{name}"}
    copy["inputs"] = {k: v for k, v in {**model["inputs"], **inputs}.items() if v is not None}
    copy["outputs"] = {k: v for k, v in {**model["outputs"], **inputs}.items() if v is not None}
    copy["property_dependencies"] = {k: v for k, v in model["property_dependencies"].items() if k in copy["inputs"]}
    return [*entries, copy]


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_the_guardrails_find_nothing_to_act_on(
    guardrails: AnalyzerClient, runs: Runs, stack: str, preview: bool
) -> None:
    assert failing(guardrails, runs[stack, preview].resources) == ""


@pytest.mark.parametrize("preview", [False, True])
def test_opening_the_task_port_to_both_halves_of_the_internet_is_found(
    guardrails: AnalyzerClient, runs: Runs, preview: bool
) -> None:
    like = "edge-tasks-from-edge"
    resources = added(runs["staging", preview], like, "open-low", cidrIpv4="0.0.0.0/1", referencedSecurityGroupId=None)
    high = added(runs["staging", preview], like, "open-high", cidrIpv4="128.0.0.0/1", referencedSecurityGroupId=None)
    found = failing(guardrails, [*resources, high[-1]])
    for name, half in (("open-low", "0.0.0.0/1"), ("open-high", "128.0.0.0/1")):
        assert re.search(rf"violated: vpc\.SecurityGroupIngressRule {name}\.cidrIpv4", found)
        assert half in found
    assert "fix: " in found


@pytest.mark.parametrize("preview", [False, True])
def test_a_rule_that_forwards_without_authentication_is_found(
    guardrails: AnalyzerClient, runs: Runs, preview: bool
) -> None:
    entries: list[Json] = graph(runs["staging", preview])["resources"]
    rule = next(
        r for r in entries
        if r["type"] == "aws:lb/listenerRule:ListenerRule" and [a["type"] for a in r["inputs"]["actions"]][-1:] == ["forward"]
    )  # fmt: skip
    forward = [dict(rule["inputs"]["actions"][-1], order=1)]
    found = failing(guardrails, added(runs["staging", preview], rule["name"], "shortcut", actions=forward, priority=1))
    assert re.search(r"violated: lb\.ListenerRule shortcut\.actions", found)


def test_a_secret_in_the_graph_is_masked(runs: Runs) -> None:
    rules = [r for r in runs["staging", False].resources if r.type == "aws:lb/listenerRule:ListenerRule"]
    assert any("1b47061264138c4ac30d75fd1eb44270" in str(rule.inputs) for rule in rules)
    assert str(secret("x")["value"]) == "x"
    assert "offline-" not in str([r for r in graph(runs["staging", False])["resources"] if "listenerRule" in r["type"]])


# -- one thing broken in a stack file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "replacement", "words"),
    [
        (r"cidrBlock: \S+", "cidrBlock: 10.20.0.0/33", ["network.cidrBlock", "10.20.0.0/33"]),
        (r"(ai-interface:release): \S+", r"\1: latest", ["release", "latest"]),
        (
            r"ai-interface:capacity:",
            "ai-interface:limits:\n    uploadMebibytes: 5120\n\n  ai-interface:capacity:",
            ["limits.uploadMebibytes", "5120", "512"],
        ),
        (r"    allowed:\n(      .*\n)+", "", ["identity.allowed"]),
        (r"ai-interface:capacity:", "ai-interface:capcity:", ["capcity", "capacity"]),
    ],
    ids=["bad block", "no release", "5 GB body", "no user allowed", "unknown key"],
)
def test_a_mistake_in_a_stack_file_is_one_readable_message(
    tmp_path: Path, pattern: str, replacement: str, words: list[str]
) -> None:
    copy_of_project(tmp_path, "docs/")
    path = tmp_path / "Pulumi.staging.yaml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "preflight", "check", "--stack", "staging"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in (*words, "fix:"):
        assert word in done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_every_component_registers_what_it_declares_under_the_names_that_other_languages_see(
    runs: Runs, stack: str
) -> None:
    declared = json.loads(PINNED.read_text())["resources"]
    made = [r for r in runs[stack, False].resources if r.type in declared]
    wrong = {r.name: sorted(r.outputs) for r in made if set(r.outputs) != set(declared[r.type].get("properties", {}))}

    assert (len(made) > 0, wrong) == (True, {})


def test_exceptions_are_answered_for_by_a_team_of_the_stack_files() -> None:
    listed = yaml.safe_load((ROOT / "policies/exceptions.yaml").read_text())["exceptions"]
    project = Project.load(ROOT)
    teams = {json.loads(project.stack(stack).config["ai-interface:owner"])["team"] for stack in STACKS}

    assert {exception["owner"] for exception in listed} <= teams
