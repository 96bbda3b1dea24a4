"""The script that reports drift, run with a ``gh`` that records what it is asked to do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
RUN = "https://github.com/example/ai-interface/actions/runs/9"
GH = """#!/bin/bash
if [ "$1" = api ]; then jq --raw-output "$5" "$FAKE/jobs.json"; exit; fi
if [ "$1 $2" = "issue list" ]; then jq --raw-output "${10}" "$FAKE/issues.json"; exit; fi
jq --null-input --compact-output '$ARGS.positional' --args -- "$@" >> "$FAKE/asked"
"""


def step() -> dict[str, Any]:
    job = yaml.safe_load((ROOT / ".github/workflows/drift.yml").read_text(encoding="utf-8"))["jobs"]["notify"]
    return next(one for one in job["steps"] if "run" in one)


def notify(
    folder: Path, results: dict[str, str], issues: dict[int, str] | None = None, *, bot: bool = True
) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """Run the script; returns the calls that change an issue."""
    named = {stack if " (" in stack else f"drift ({stack})": how for stack, how in results.items()}
    listed = [{"name": name, "conclusion": how} for name, how in named.items()]
    (folder / "jobs.json").write_text(json.dumps({"jobs": [*listed, {"name": "notify", "conclusion": None}]}))
    found = [{"number": n, "title": title, "author": {"is_bot": bot}} for n, title in (issues or {}).items()]
    (folder / "issues.json").write_text(json.dumps(found))
    (folder / ".github").mkdir()
    (folder / ".github/CODEOWNERS").write_text((ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8"))
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "FAKE": str(folder), "JOBS": "repos/x", "RUN_URL": RUN}
    assert step()["shell"] == "bash"
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step()["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    asked = folder / "asked"
    return done, [json.loads(line) for line in asked.read_text().splitlines()] if asked.exists() else []


def owners(stack: str) -> str:
    lines = (ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    return next(line.split(maxsplit=1)[1] for line in lines if line.startswith(f"/Pulumi.{stack}.yaml "))


def test_without_drift_there_is_no_issue(tmp_path: Path) -> None:
    done, asked = notify(tmp_path, {"staging": "success", "prod": "success"})
    assert (done.returncode, asked) == (0, [])


@pytest.mark.parametrize("conclusion", ["failure", "timed_out"])
def test_drift_opens_an_issue_that_mentions_the_owners(tmp_path: Path, conclusion: str) -> None:
    done, asked = notify(tmp_path, {"staging": "success", "prod": conclusion})
    assert done.returncode == 0, done.stderr
    ((*command, body),) = asked
    assert command == ["issue", "create", "--title", "Drift: prod", "--body"]
    assert body == (
        f"The nightly check of prod ended with `{conclusion}`: {RUN}. What to do: docs/runbook.md, section drift. {owners('prod')}"
    )


def test_drift_that_lasts_continues_the_issue(tmp_path: Path) -> None:
    done, asked = notify(
        tmp_path, {"staging": "failure", "prod": "failure"}, {7: "Drift: prod", 8: "Drift: production"}
    )
    assert done.returncode == 0, done.stderr
    assert [call[:3] for call in asked] == [["issue", "create", "--title"], ["issue", "comment", "7"]]


def test_the_end_of_the_drift_closes_the_issue(tmp_path: Path) -> None:
    done, asked = notify(tmp_path, {"staging": "success", "prod": "success"}, {7: "Drift: prod"})
    assert done.returncode == 0, done.stderr
    assert asked == [["issue", "close", "7", "--comment", f"prod has no drift any more: {RUN}"]]


def test_an_issue_that_a_person_opened_is_left_alone(tmp_path: Path) -> None:
    _, asked = notify(tmp_path, {"prod": "failure"}, {7: "Drift: prod"}, bot=False)
    assert [call[1] for call in asked] == ["create"]


def test_without_results_the_job_fails(tmp_path: Path) -> None:
    done, asked = notify(tmp_path, {})
    assert (done.returncode, asked) == (1, [])
    assert "::error::" in done.stdout


TABLE = """### preflight due prod: 1 ok, 1 missing, 0 cannot tell

| | part | subject | found | fix |
|---|---|---|---|---|
| missing | secrets | workload-session-key | its value is 366 days old; at most 365 | docs/incidents.md#rotating-the-session-key |
| ok | secrets | workload-user-key | its value is 3 days old; at most 365 | docs/incidents.md#rotating-the-user-key |
"""


def test_what_is_overdue_opens_a_separate_issue_with_the_section_of_each(tmp_path: Path) -> None:
    (tmp_path / "due").mkdir()
    (tmp_path / "due" / "due-prod.md").write_text(TABLE)
    done, asked = notify(tmp_path, {"prod": "success", "due (staging)": "success", "due (prod)": "failure"})
    assert done.returncode == 0, done.stderr
    ((*command, body),) = asked
    assert command == ["issue", "create", "--title", "Due: prod", "--body"]
    first, _, table = body.partition("\n\n")
    assert (
        first
        == f"The nightly check of prod ended with `failure`: {RUN}. What to do: docs/runbook.md, section due. {owners('prod')}"
    )
    assert "docs/incidents.md#rotating-the-session-key" in table
    assert "workload-user-key" not in table


def test_both_checks_of_one_environment_have_separate_issues(tmp_path: Path) -> None:
    issues = {7: "Drift: prod", 8: "Due: prod"}
    _, asked = notify(tmp_path, {"prod": "failure", "due (prod)": "success"}, issues)
    assert [call[:3] for call in asked] == [["issue", "comment", "7"], ["issue", "close", "8"]]


def test_a_check_that_could_not_run_opens_the_issue_without_a_table(tmp_path: Path) -> None:
    done, asked = notify(tmp_path, {"due (prod)": "failure"})
    assert done.returncode == 0, done.stderr
    assert asked[0][:4] == ["issue", "create", "--title", "Due: prod"]
