"""``preflight conform`` as it is used: exit codes, formats, which stacks, and what happens without AWS's data."""

from __future__ import annotations

import ast
import json
import pkgutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from preflight import conform
from preflight.__main__ import main
from preflight.commands.console import FORMATS
from preflight.conform import checks, installed, values
from preflight.conform.command import conform as evaluated
from preflight.errors import PreflightError
from tests.preflight.commands.test_command_line import preflight
from tests.settings.stack_files import ROOT

PROJECT = """\
name: account
runtime: python
"""
PROGRAM = """\
import pulumi_aws as aws
aws.ec2.SecurityGroup("tasks", description={description!r}, vpc_id="vpc-0123456789abcdef0")
"""


def project(folder: Path, description: str) -> Path:
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "Pulumi.test.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (folder / "__main__.py").write_text(PROGRAM.format(description=description))
    return folder


def test_both_projects_of_the_repository_are_checked_and_clean() -> None:
    done = preflight(ROOT, "conform")
    assert (done.returncode, done.stderr) == (0, "")
    for environment in ("staging", "prod", "bootstrap staging", "bootstrap prod"):
        assert f"\n  {environment} " in done.stdout
    assert done.stdout.endswith("clean: every policy is proven in every environment\n")


def test_one_stack_of_one_project_is_checked_alone() -> None:
    done = preflight(ROOT, "conform", "prod", "--project", "bootstrap", "--format", "json")
    assert done.returncode == 0
    assert [environment["name"] for environment in json.loads(done.stdout)["environments"]] == ["bootstrap prod"]


def test_a_finding_exits_with_1_and_names_resource_property_value_constraint_and_source(tmp_path: Path) -> None:
    done = preflight(project(tmp_path, "The interface's tasks"), "conform")
    assert done.returncode == 1
    for text in (
        "ec2.SecurityGroup tasks.description is refused by AWS",
        "conform-values · test · high",
        "found     The interface's tasks",
        "AWS::EC2::SecurityGroup.GroupDescription",
        "https://docs.aws.amazon.com/AWSCloudFormation/",
        "__main__.py:2",
    ):
        assert text in done.stdout


def test_every_format_says_the_same(tmp_path: Path) -> None:
    folder = project(tmp_path, "The interface's tasks")
    said = {name: preflight(folder, "conform", "--format", name).stdout for name in FORMATS if name != "text"}
    assert all("tasks" in text for text in said.values())
    assert json.loads(said["json"])["findings"][0]["rule"] == values.RULE
    assert json.loads(said["sarif"])["runs"][0]["results"][0]["ruleId"] == values.RULE
    assert Xml.fromstring(said["junit"]).find(".//failure") is not None  # noqa: S314 - our own output
    assert "tasks.description is refused by AWS" in said["markdown"]


def test_what_cannot_run_exits_with_2_and_one_message(tmp_path: Path) -> None:
    done = preflight(project(tmp_path, "Tasks"), "conform", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no stack file Pulumi.nowhere.yaml; stacks with a file here: test" in done.stderr


def test_without_the_package_that_has_the_data_there_is_one_message_with_the_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent() -> list[checks.Check]:
        raise ModuleNotFoundError("No module named 'policy_sentry'", name="policy_sentry")

    monkeypatch.setattr("preflight.conform.command.checks", absent)
    with pytest.raises(PreflightError, match=r"^policy_sentry is not installed.*\[conform\].*run make setup"):
        evaluated(ROOT, ["prod"], ["bootstrap"], lambda _: None)


def test_every_missing_package_is_named_before_a_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", absent)

    with pytest.raises(PreflightError, match=r"^boto3, cfn-lint, policy-sentry, regex are not installed"):
        evaluated(ROOT / "nowhere", [], [], lambda _: None)


def test_the_extra_lists_every_package_that_the_checks_import() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {Requirement(one).name for one in listed["optional-dependencies"][installed.EXTRA]}
    files = [*(ROOT / "preflight" / "conform").rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    roots = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    provided = metadata.packages_distributions()
    known = {Requirement(one).name for one in listed["dependencies"]} | {"ai-interface"}

    assert extra == set(installed.PACKAGES.values())
    own = {folder.name for folder in ROOT.iterdir()}
    assert {root for root in roots - own if not known & {canonicalize_name(one) for one in provided[root]}} <= set(
        installed.PACKAGES
    )


def test_every_module_that_has_findings_is_a_check() -> None:
    rules = {check.rule.name for check in checks.checks()}
    assert values.RULE in rules
    modules = [module.name for module in pkgutil.iter_modules(conform.__path__)]
    having = {name for name in modules if hasattr(sys.modules[f"preflight.conform.{name}"], "findings")}
    assert rules == {f"conform-{name.replace('_', '-')}" for name in having}
    assert all(check.rule.description for check in checks.checks())


def test_the_command_line_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["conform", "--help"])
    assert ended.value.code == 0
    assert "--project" in capsys.readouterr().out
