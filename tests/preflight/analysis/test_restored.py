"""The procedure of ``docs/restore.md`` in a copy of the project: with its setting and its commands the check is clean, in one
environment alone, without an exception and without a declared difference."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.copies import copy_of_project

ROOT = Path(__file__).parents[3]
STACK = "prod"
"""The other environment keeps its database."""
PAGE = (
    (ROOT / "docs" / "restore.md")
    .read_text("utf-8")
    .partition("## The database, from a snapshot")[2]
    .partition("\n## ")[0]
)
FILES = ("policies/exceptions.yaml", "policies/parity/differences.yaml")
pytestmark = pytest.mark.slow


def preflight(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "preflight", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_of_project(tmp_path_factory.mktemp("restored") / "project")
    (setting,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    documented = yaml.safe_load(setting)
    path = folder / f"Pulumi.{STACK}.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    chosen = content["config"]["ai-interface:data"]
    chosen["database"] |= documented["ai-interface:data"]["database"]
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return folder


def test_the_check_is_clean_and_no_file_but_the_stack_file_has_changed(project: Path) -> None:
    done = preflight(project, "check")
    assert done.returncode == 0, done.stdout
    assert [name for name in FILES if (project / name).read_bytes() != (ROOT / name).read_bytes()] == []


def test_the_runbook_has_the_name_of_the_new_database(project: Path) -> None:
    done = preflight(project, "runbook", STACK, "database-events")
    assert re.search(rf"--source-identifier ai-interface-{STACK}-[0-9a-f]{{8}} ", done.stdout), done.stderr


def test_the_page_asks_for_no_exception() -> None:
    assert "allowDeletion" not in PAGE
    assert "exceptions.yaml" not in PAGE
    assert "pulumi state unprotect" in PAGE
