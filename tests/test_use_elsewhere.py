"""What another repository uses: the actions, the pre-commit hook, and the page that shows them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.commands import parser
from tests.preflight.sample import sample_project

ROOT = Path(__file__).resolve().parents[1]
ACTIONS = ROOT / ".github" / "actions"
PAGE = (ROOT / "docs" / "use-in-another-repository.md").read_text(encoding="utf-8")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BASH = shutil.which("bash") or "/bin/bash"


def action(name: str) -> dict[str, Any]:
    return yaml.safe_load((ACTIONS / name / "action.yml").read_text(encoding="utf-8"))


def snippets() -> list[str]:
    return [
        text.replace("<commit>", COMMIT) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    ]


def tool(name: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own tools
        [str(Path(sys.executable).parent / name), *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_workflow_of_the_page_is_valid_pinned_and_without_a_finding(tmp_path: Path) -> None:
    check, report, _ = snippets()
    for number, text in enumerate((check, check + report)):
        folder = tmp_path / str(number) / ".github" / "workflows"
        folder.mkdir(parents=True)
        (folder / "preflight.yml").write_text(text, encoding="utf-8")
        tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(folder / "preflight.yml"))
        assert "No findings" in tool(
            "zizmor", "--offline", "--no-progress", "--config", str(ROOT / ".github/zizmor.yml"), str(folder)
        )
    ours = re.findall(r"uses: example/ai-interface/(\S+)@(\S+)", check + report)
    assert ours == [(f".github/actions/{name}", COMMIT) for name in ("preflight", "preflight-comment")]


def test_the_page_pins_the_same_versions_as_the_workflows_of_this_repository() -> None:
    pins = set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", PAGE))
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ".github").rglob("*.yml")]
    assert pins
    assert {pin for pin in pins if not any(pin in text for text in texts)} == set()


def test_the_page_gives_each_action_inputs_that_it_has() -> None:
    check, report, _ = snippets()
    jobs = yaml.safe_load(check + report)["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"] if "ai-interface" in step.get("uses", "")]
    assert len(steps) == 2
    for step in steps:
        name = step["uses"].partition("@")[0].rpartition("/")[2]
        assert set(step.get("with", ())) <= set(action(name)["inputs"])


# -- the hook ----------------------------------------------------------------------------------------------------------


def test_the_hook_is_a_command_of_the_wheel() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command, *arguments = shlex.split(hook["entry"])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert command in scripts
    assert parser().parse_args(arguments).command == "check"
    assert hook["language"] == "python"
    assert hook["pass_filenames"] is False
    *_, config = snippets()
    (repository,) = yaml.safe_load(config)["repos"]
    assert [each["id"] for each in repository["hooks"]] == [hook["id"]]


# -- the actions -------------------------------------------------------------------------------------------------------


def run(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As GitHub runs ``shell: bash``."""
    return subprocess.run(  # noqa: S603 - a script of this repository
        [BASH, "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_installs_the_repository_that_it_is_part_of(tmp_path: Path) -> None:
    install, _ = action("preflight")["runs"]["steps"]
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor last; do :; done\ncd "$last" && pwd -P\n')
    python.chmod(0o755)
    done = run(install["run"], tmp_path, PROGRAMS_PYTHON=str(python), GITHUB_ACTION_PATH=str(ACTIONS / "preflight"))
    assert done.stdout.strip() == str(ROOT)
    assert (ROOT / "pyproject.toml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("timeout", "code"), [(30, 0), (90, 1)])
def test_the_action_checks_writes_the_summary_and_fails_with_findings(timeout: int, code: int, tmp_path: Path) -> None:
    *_, check = action("preflight")["runs"]["steps"]
    folder = sample_project(tmp_path / "project", timeouts=(30, timeout))
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S603, S607
    assert set(check["env"]) == {"PROGRAMS_PYTHON", "FOLDER", "BASE", "REPORTS"}
    summary = tmp_path / "summary.md"
    done = run(
        check["run"],
        tmp_path,
        PROGRAMS_PYTHON=sys.executable,
        FOLDER="project",
        BASE="HEAD",
        REPORTS="reports",
        GITHUB_STEP_SUMMARY=str(summary),
        PYTHONPATH=str(ROOT),
    )
    assert done.returncode == code, done.stderr
    assert summary.read_text(encoding="utf-8") == (tmp_path / "reports" / "comment.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "reports" / "check.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_the_comment_is_written_as_this_repository_writes_its_own() -> None:
    """The job here has no checkout, so it cannot use the action."""
    (step,) = action("preflight-comment")["runs"]["steps"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text(encoding="utf-8"))
    (own,) = [each for each in workflow["jobs"]["comment"]["steps"] if "run" in each]
    assert step["run"].replace('"$REPORTS/comment.md"', "reports/comment.md") == own["run"]
    assert set(step["env"]) - {"REPORTS"} == set(own["env"])
    shared = set(own["env"]) - {"LINK"}
    assert {key: step["env"][key] for key in shared} == {key: own["env"][key] for key in shared}
