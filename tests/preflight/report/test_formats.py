"""One run, every format, and a comment that says what the change does."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from preflight.report.bundle import COMMENT, FILES, PAGE
from preflight.report.comment import SPARE
from tests.preflight.commands.test_command_line import preflight
from tests.preflight.sample import sample_project
from tests.preflight.sarif import validate_sarif
from tests.settings.stack_files import ROOT


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean project in git, and then a change that has a finding."""
    folder = sample_project(tmp_path_factory.mktemp("project"))
    assert preflight(folder, "shapes", "--write").returncode == 0
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "base")
    green = folder / "Pulumi.green.yaml"
    green.write_text(green.read_text(encoding="utf-8").replace("30", "90"), encoding="utf-8")
    return folder


def test_one_run_writes_all_formats_with_the_same_findings(project: Path, tmp_path: Path) -> None:
    done = preflight(project, "bundle", str(tmp_path / "out"), "--base", "HEAD")
    assert done.returncode == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES.values(), COMMENT, PAGE}
    found = json.loads((tmp_path / "out" / "check.json").read_text())["findings"]
    rules = {finding["rule"] for finding in found if finding["mandatory"] and not finding["exemption"]}
    log = json.loads((tmp_path / "out" / "check.sarif").read_text())
    validate_sarif(log)
    assert {r["ruleId"] for r in log["runs"][0]["results"] if r["level"] != "note"} == rules
    suites = Xml.parse(tmp_path / "out" / "check.xml").getroot()  # noqa: S314 - our own output
    shown = {case.get("name") for suite in suites for case in suite if len(case)}
    assert shown <= rules
    assert "short-timeouts" in shown
    text = (tmp_path / "out" / "comment.md").read_text()
    assert text.startswith("<!-- ai-interface preflight -->\n")
    assert all(f"`{rule}`" in text for rule in rules)


def test_the_workflow_uploads_and_posts_files_that_are_written() -> None:
    workflow = (ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8")
    assert {*re.findall(r"reports/([\w.-]+)", workflow)} == {FILES["sarif"], COMMENT}
    assert f"({PAGE})" in workflow


def test_the_comment_says_what_changes(project: Path, tmp_path: Path) -> None:
    preflight(project, "bundle", str(tmp_path), "--base", "HEAD")
    text = (tmp_path / "comment.md").read_text()
    assert "### What the change does" in text
    assert "#### green: 1 change since `HEAD`" in text
    assert text.index("#### green") < text.index("<details>")
    assert "- `sqs.Queue jobs.visibilityTimeoutSeconds: 30 → 90`" in text


def test_a_base_that_cannot_be_read_is_said_and_hides_no_finding(project: Path, tmp_path: Path) -> None:
    done = preflight(project, "bundle", str(tmp_path), "--base", "no-such-ref")
    assert done.returncode == 1
    text = (tmp_path / "comment.md").read_text()
    assert "Changes since `no-such-ref` cannot be shown: git cannot read" in text
    assert "short-timeouts" in text


SCRIPT = "Create or update the comment"


@pytest.mark.parametrize("url", ["https://github.com/o/r/actions/runs/1/artifacts/2", ""])
def test_the_comment_links_the_page_after_its_heading(project: Path, tmp_path: Path, url: str) -> None:
    """The workflow's own script, up to the calls of GitHub's API."""
    preflight(project, "bundle", str(tmp_path / "reports"), "--base", "HEAD")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8"))
    (script,) = [one["run"] for one in workflow["jobs"]["comment"]["steps"] if one.get("name") == SCRIPT]
    own, found, _ = script.partition("ours=")
    assert found
    variables = {"LINK": url, "PATH": os.environ["PATH"]}
    command = ["bash", "-euo", "pipefail", "-c", own]
    subprocess.run(command, cwd=tmp_path, env=variables, check=True)  # noqa: S603 - a script of this repository
    made = (tmp_path / "comment.md").read_text(encoding="utf-8")
    before = (tmp_path / "reports" / "comment.md").read_text(encoding="utf-8")
    assert made.startswith("<!-- ai-interface preflight -->\n### ")
    assert (f"]({url})" in made.splitlines()[3]) if url else made == before
    assert len(made) - len(before) < SPARE
    assert workflow["jobs"]["check"]["outputs"]["reports"] == "${{ steps.upload.outputs.artifact-url }}"


def test_the_earlier_name_of_the_command_is_refused_with_the_present_one(project: Path) -> None:
    done = preflight(project, "reports", "out", "--base", "HEAD")
    assert done.returncode == 2
    assert "the command reports is called bundle now: run python -m preflight bundle out --base HEAD" in done.stderr
    assert "reports" not in preflight(project, "--help").stdout.split("COMMAND", 2)[2]
