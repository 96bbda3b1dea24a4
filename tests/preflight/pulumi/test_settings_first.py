"""A mistake in a stack file is reported before the components and the AWS SDK are imported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from preflight.pulumi.project import Project
from tests.settings.stack_files import ROOT

READ = """
import json, sys
from pathlib import Path
from preflight.errors import ProgramError
from preflight.pulumi import program
from preflight.pulumi.project import Project

project = Project.load(Path(sys.argv[1]))
try:
    program.read_settings(project, [project.stack(name) for name in project.stacks()])
    said = ""
except ProgramError as error:
    said = str(error)
print(json.dumps([said, sorted({"pulumi_aws", "components.network"} & set(sys.modules))]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("settings", "components"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def read(project: Path) -> tuple[str, list[str]]:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", READ, str(project)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, imported = json.loads(done.stdout)
    return said, imported


def test_the_mistake_of_each_stack_is_named(project: Path) -> None:
    assert read(project) == ("", [])
    for name in ("staging", "prod"):
        file = project / f"Pulumi.{name}.yaml"
        file.write_text(file.read_text().replace("config:\n", "config:\n  ai-interface:netwerk: {}\n", 1))
    said, imported = read(project)
    assert said.count("ai-interface:netwerk") == 2
    assert "staging: 1 problem in the settings of stack staging (Pulumi.staging.yaml)" in said
    assert "prod: 1 problem in the settings of stack prod (Pulumi.prod.yaml)" in said
    assert imported == []


def test_a_release_that_the_stack_cannot_run_is_named(project: Path) -> None:
    for name in ("releases", "prompts"):
        (project / name).symlink_to(ROOT / name)
    assert read(project) == ("", [])
    file = project / "Pulumi.prod.yaml"
    release = Project.load(project).stack("prod").config["ai-interface:release"]
    file.write_text(file.read_text().replace(release, "2001.1.1"))
    said, imported = read(project)
    assert said.startswith("prod: 1 problem in the release")
    assert '"2001.1.1"' in said
    assert release in said
    assert imported == []


def test_a_project_without_such_settings_is_left_to_its_program(project: Path) -> None:
    (project / "settings").unlink()
    assert read(project) == ("", [])
    (project / "settings").mkdir()
    (project / "settings" / "__init__.py").write_text("raise RuntimeError('read by the program')\n")
    assert read(project) == ("", [])
