"""A real pack process answers over the engine's own protocol, and never outlives its owner."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from preflight.pulumi.analyzer import AnalyzerClient, AnalyzerError
from preflight.sdk.wire import UNKNOWN, secret

PACK = """
import os, sys
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, Severity, StackValidationPolicy

def one(args, report):
    if args.props.get("port") == 22:
        report(f"violated: {args.name}.port", args.urn)

def all_of_them(args, report):
    for resource in args.resources:
        parent = resource.parent.name if resource.parent else ""
        wired = [d.name for deps in resource.property_dependencies.values() for d in deps]
        report(f"{resource.name} in {parent} after {wired}: {resource.props.get('answer')} "
               f"protect={resource.opts.protect} in {os.environ['PULUMI_STACK']} dry={os.environ['PULUMI_DRY_RUN']} "
               f"from {os.path.basename(os.getcwd())} tier={args.stack_tags.get('tier')}", resource.urn)

PolicyPack("sample", [
    ResourceValidationPolicy("no-ssh", "Nothing listens for SSH.", one, EnforcementLevel.MANDATORY, severity=Severity.HIGH),
    StackValidationPolicy("tell", "Tells what it sees.", all_of_them, EnforcementLevel.ADVISORY),
])
"""


def make_pack(folder: Path, program: str) -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 4.5.6\n")
    (folder / "__main__.py").write_text(program)
    return folder


def resource(name: str, **fields: object) -> dict[str, object]:
    urn = f"urn:pulumi:test::ai-interface::aws:ec2/thing:Thing::{name}"
    return {"urn": urn, "type": "aws:ec2/thing:Thing", "name": name, "inputs": {}, **fields}


@pytest.fixture(scope="module")
def pack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs") / "sample", PACK)


def test_a_pack_describes_its_policies_and_its_manifest_gives_the_version(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        info = pack.info()
    assert (info.name, info.version) == ("sample", "4.5.6")
    assert [(p.name, p.kind, p.enforcement, p.severity) for p in info.policies] == [
        ("no-ssh", "resource", "mandatory", "high"),
        ("tell", "stack", "advisory", ""),
    ]


def test_a_resource_policy_sees_the_inputs(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        found = pack.analyze(resource("bastion", inputs={"port": 22}, outputs={"port": 443}))
    assert [(d.policy, d.message, d.enforcement, d.severity) for d in found] == [
        ("no-ssh", "violated: bastion.port", "mandatory", "high")
    ]


def test_a_stack_policy_sees_outputs_wiring_options_and_the_stack(pack_folder: Path) -> None:
    parent = resource("parent")
    child = resource(
        "child",
        parent=parent["urn"],
        inputs={"answer": 1},
        outputs={"answer": 42},
        property_dependencies={"answer": [parent["urn"]], "empty": []},
        protect=True,
    )
    with AnalyzerClient.start(pack_folder, stack="prod", dry_run=True, tags={"tier": "one"}) as pack:
        found = pack.analyze_stack([parent, child])
    assert found[0].message == (
        "child in parent after ['parent']: 42.0 protect=True in prod dry=true from sample tier=one"
    )


def test_a_policy_that_touches_an_unknown_value_is_reported_as_the_sdk_does(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        found = pack.analyze(resource("later", inputs={"port": UNKNOWN}))
    assert [d.enforcement for d in found] == ["advisory"]
    assert "can't run policy 'no-ssh'" in found[0].message


def test_a_secret_reaches_a_policy_as_its_value(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        found = pack.analyze(resource("bastion", inputs={"port": secret(22)}))
    assert [d.policy for d in found] == ["no-ssh"]


def test_configuration_changes_the_enforcement_level(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        pack.configure({"no-ssh": {"enforcementLevel": "disabled"}})
        found = pack.analyze(resource("bastion", inputs={"port": 22}))
    assert found == []


def test_a_pack_that_crashes_at_start_gives_its_own_words(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "broken", "raise ValueError('no rules here')\n")
    with AnalyzerClient.start(folder) as pack, pytest.raises(AnalyzerError) as error:
        pack.info()
    assert "policy pack broken stopped before it printed its port (exit code 1)" in str(error.value)
    assert "ValueError: no rules here" in str(error.value)


def test_a_policy_that_crashes_is_an_error_and_not_a_pass(tmp_path: Path) -> None:
    program = PACK.replace('args.props.get("port") == 22', "args.props.port.is_missing()")
    with AnalyzerClient.start(make_pack(tmp_path / "faulty", program)) as pack, pytest.raises(AnalyzerError) as error:
        pack.analyze(resource("bastion", inputs={"port": 22}))
    assert "policy pack faulty did not answer Analyze" in str(error.value)


def test_a_folder_without_a_manifest_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerError, match=r"it has no PulumiPolicy\.yaml"):
        AnalyzerClient.start(tmp_path)


def test_leaving_the_block_ends_the_process(pack_folder: Path) -> None:
    with AnalyzerClient.start(pack_folder) as pack:
        pack.info()
        process = pack.process_id
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
