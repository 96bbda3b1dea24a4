"""A platform team's own project: the packs are copied, shapes are written, and its environments are held to one shape."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.preflight.commands.test_command_line import ROOT, preflight
from tests.preflight.sample import sample_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue in two environments, and the two packs beside it. It has no releases, owners or settings like ours."""
    folder = sample_project(tmp_path_factory.mktemp("own"))
    shutil.rmtree(folder / "policies" / "sample")
    without = shutil.ignore_patterns("__pycache__", "shapes", "differences.yaml")
    for name in ("guardrails", "parity"):
        shutil.copytree(ROOT / "policies" / name, folder / "policies" / name, ignore=without)
    (folder / "policies" / "__init__.py").touch()
    (folder / "policies" / "parity" / "differences.yaml").write_text("environments: [blue, green]\n", encoding="utf-8")
    assert preflight(folder, "shapes", "--write").returncode == 0
    return folder


def check(folder: Path) -> tuple[int, str]:
    done = preflight(folder, "check", "--policy-pack", str(folder / "policies" / "parity"))
    return done.returncode, done.stdout + done.stderr


def test_equal_environments_of_another_project_are_clean(project: Path) -> None:
    code, said = check(project)
    assert (code, "parity  equal" in said) == (0, True), said


def test_a_difference_is_found_by_the_copied_pack_and_by_the_check(project: Path) -> None:
    green = project / "Pulumi.green.yaml"
    text = green.read_text(encoding="utf-8")
    try:
        green.write_text(text.replace("30", "90"), encoding="utf-8")
        assert preflight(project, "shapes", "--write").returncode == 0
        code, said = check(project)
    finally:
        green.write_text(text, encoding="utf-8")
        preflight(project, "shapes", "--write")
    assert code == 1
    assert said.count("violated: sqs.Queue jobs.visibilityTimeoutSeconds differs") == 1
    assert "1 finding to act on" in said
