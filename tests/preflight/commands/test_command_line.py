"""The engine as it is used: a process, an exit code, and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.preflight.sample import CARELESS_PACK, PROGRAM, sample_project

ROOT = Path(__file__).resolve().parents[3]


def preflight(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "preflight", "-C", str(folder), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_project(tmp_path_factory.mktemp("clean"))
    assert preflight(folder, "shapes", "--write").returncode == 0
    return folder


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_project(tmp_path_factory.mktemp("findings"), timeouts=(30, 90))
    preflight(folder, "shapes", "--write")
    return folder


@pytest.fixture(scope="module")
def found(findings: Path) -> subprocess.CompletedProcess[str]:
    return preflight(findings, "check")


def test_a_clean_project_exits_with_0_and_says_so(clean: Path) -> None:
    done = preflight(clean, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("clean: every policy is proven in every environment\n")
    assert "  parity  equal" in done.stdout.splitlines()


def test_a_policy_that_cannot_evaluate_an_unknown_value_is_a_finding_and_not_a_pass(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, pack=CARELESS_PACK)
    done = preflight(folder, "check")
    assert done.returncode == 1
    assert "not proven: can't run policy 'named'" in done.stdout


def test_piped_output_is_the_same_from_run_to_run(findings: Path, found: subprocess.CompletedProcess[str]) -> None:
    again = preflight(findings, "check")
    assert found.stdout == again.stdout
    assert "\033" not in found.stdout


def test_findings_exit_with_1_and_show_what_a_foreign_pack_reported_and_the_line(
    found: subprocess.CompletedProcess[str],
) -> None:
    assert found.returncode == 1
    for line in (
        "violated: Queue jobs.visibilityTimeoutSeconds is long",
        "  short-timeouts · green",
        "  found     90 seconds, at most 60: lower it",
        "  source    __main__.py:6",
    ):
        assert line in found.stdout.splitlines()


def test_the_environments_are_compared(found: subprocess.CompletedProcess[str]) -> None:
    assert "violated: sqs.Queue jobs.visibilityTimeoutSeconds differs" in found.stdout
    assert "  found     blue: 30; green: 90" in found.stdout.splitlines()


def test_one_stack_can_be_checked_alone(findings: Path) -> None:
    done = preflight(findings, "check", "--stack", "blue")
    assert "green" not in done.stdout


def test_json_holds_every_finding_with_its_place(findings: Path) -> None:
    report = json.loads(preflight(findings, "check", "--format", "json").stdout)
    one = next(f for f in report["findings"] if f["rule"] == "short-timeouts")
    assert (one["environment"], one["source_file"], one["source_line"]) == ("green", "__main__.py", 6)
    assert report["clean"] is False


def test_junit_has_a_suite_for_each_environment_and_a_case_for_each_policy(findings: Path) -> None:
    root = Xml.fromstring(preflight(findings, "check", "--format", "junit").stdout)  # noqa: S314 - our own output
    failed = {suite.get("name"): [c.get("name") for c in suite if len(c)] for suite in root}
    assert "short-timeouts" in failed["green"]
    assert "short-timeouts" not in failed["blue"]


def test_output_can_go_to_a_file(findings: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    done = preflight(findings, "check", "--format", "markdown", "--output", str(target))
    assert done.stdout == ""
    assert target.read_text().startswith("<!-- ai-interface preflight -->")


def test_output_that_cannot_be_written_exits_with_2_and_one_line(clean: Path, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "found.json"
    done = preflight(clean, "check", "--format", "json", "--output", str(target))
    assert (done.returncode, done.stderr) == (2, f"preflight: could not run\n\n{target}: No such file or directory\n")


def test_the_graph_is_stable_sorted_and_without_secrets(tmp_path: Path) -> None:
    program = PROGRAM + 'aws.ssm.Parameter("p", type="SecureString", value=pulumi.Output.secret("hunter2"))\n'
    folder = sample_project(tmp_path, program)
    done = preflight(folder, "graph", "blue", "--format", "json")
    resources = json.loads(done.stdout)["resources"]
    assert [r["urn"] for r in resources] == sorted(r["urn"] for r in resources)
    assert "hunter2" not in done.stdout
    assert next(r for r in resources if r["name"] == "p")["inputs"]["value"] == "[secret]"
    assert done.stdout == preflight(folder, "graph", "blue").stdout


def test_an_unknown_stack_exits_with_2(clean: Path) -> None:
    done = preflight(clean, "check", "--stack", "red")
    assert done.returncode == 2
    assert "there is no stack file Pulumi.red.yaml; stacks with a file here: blue, green" in done.stderr


def test_an_error_of_the_program_exits_with_2_and_shows_the_lines_of_the_project(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, "def area(side):\n    return side ** 'x'\n\narea(3)\n")
    done = preflight(folder, "check")
    assert done.returncode == 2
    assert "blue, green: TypeError: unsupported operand" in done.stderr
    assert "  __main__.py:2 in area: return side ** 'x'" in done.stderr
    assert "site-packages" not in done.stderr


def test_a_run_error_is_printed_as_it_is(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, "import pulumi\nraise pulumi.RunError('say this\\nand this')\n")
    done = preflight(folder, "check")
    assert done.stderr == "preflight: could not run\n\nblue, green: say this\nand this\n"


def test_a_pack_that_breaks_exits_with_2_and_its_own_words(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, pack="import nowhere_to_be_found\n")
    done = preflight(folder, "check")
    assert done.returncode == 2
    assert "policy pack sample stopped before it printed its port" in done.stderr
    assert "No module named 'nowhere_to_be_found'" in done.stderr


def test_what_the_program_prints_is_not_part_of_the_output(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, "print('noise')\n" + PROGRAM)
    assert "noise" not in preflight(folder, "graph", "blue").stdout


def test_help_says_what_each_command_does() -> None:
    done = preflight(ROOT, "--help")
    assert done.returncode == 0
    for command in ("check", "graph", "shapes"):
        assert command in done.stdout


def test_an_ended_check_leaves_no_process_behind(tmp_path: Path) -> None:
    folder = sample_project(tmp_path, "import time\ntime.sleep(60)\n")
    marker = str(folder)
    process = subprocess.Popen([sys.executable, "-m", "preflight", "-C", marker, "check"], cwd=ROOT)  # noqa: S603
    try:
        _wait_until(lambda: len(_running(marker)) > 3)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    _wait_until(lambda: not _running(marker))
    assert _running(marker) == []


def _wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not come to pass within 20 seconds")


def _running(marker: str) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if marker in line:
                found.append(int(entry.name))
    return found
