"""One run, every format, and a comment that says what the change does."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from preflight.report.bundle import COMMENT, FILES, LONGEST_COMMENT, comment
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
    done = preflight(project, "reports", str(tmp_path / "out"), "--base", "HEAD")
    assert done.returncode == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES.values(), COMMENT}
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


def test_the_comment_says_what_changes(project: Path, tmp_path: Path) -> None:
    preflight(project, "reports", str(tmp_path), "--base", "HEAD")
    text = (tmp_path / "comment.md").read_text()
    assert "<summary>Changes</summary>" in text
    assert "#### green: 1 change since `HEAD`" in text
    assert "- `sqs.Queue jobs.visibilityTimeoutSeconds: 30 → 90`" in text


def test_a_base_that_cannot_be_read_is_said_and_hides_no_finding(project: Path, tmp_path: Path) -> None:
    done = preflight(project, "reports", str(tmp_path), "--base", "no-such-ref")
    assert done.returncode == 1
    text = (tmp_path / "comment.md").read_text()
    assert "Changes since `no-such-ref` cannot be shown: git cannot read" in text
    assert "short-timeouts" in text


def test_a_long_comment_is_cut_and_says_so() -> None:
    text = comment("verdict\n", "- change\n" * LONGEST_COMMENT)
    assert len(text) == LONGEST_COMMENT
    assert text.startswith("verdict\n")
    assert text.endswith("(shortened: the job's reports contain the rest)\n")
