"""The example projects run as they are."""

import runpy
from pathlib import Path

import yaml

from preflight.recording.recorder import record
from tests.components.edge_fixtures import counts

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "private-network"


def test_the_private_network_stands_alone_with_the_settings_of_its_stack_file() -> None:
    stack = yaml.safe_load((EXAMPLE / "Pulumi.dev.yaml").read_text())["config"]
    recording = record(
        lambda: runpy.run_path(str(EXAMPLE / "__main__.py"), run_name="__main__"),
        project="private-network",
        stack="dev",
        config=stack,
    )

    assert counts(recording)["Subnet"] == 4
    assert {r.inputs["tags"]["owner"] for r in recording.of_type("aws:ec2/subnet:Subnet")} == {"ai-platform"}
    assert sorted(recording.outputs) == ["privateSubnetIds", "vpcId"]


def test_every_setting_that_the_example_reads_is_declared() -> None:
    declared = yaml.safe_load((EXAMPLE / "Pulumi.yaml").read_text())["config"]
    stack = yaml.safe_load((EXAMPLE / "Pulumi.dev.yaml").read_text())["config"]

    assert {key.partition(":")[2] for key in stack if key.startswith("private-network:")} <= set(declared)
    assert all(spec["description"] for spec in declared.values())
