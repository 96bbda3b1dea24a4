"""The bootstrap stack of an environment is found in the stack files by account, region and name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from preflight.conform import account as bootstrap_of
from tests.assembly.topologies import ELSEWHERE
from tests.bootstrap.program import run_bootstrap
from tests.preflight.conform.graphs import STACKS, program
from tests.settings.stack_files import ROOT

SCRIPT = """
from pathlib import Path
from preflight.conform import account, permissions
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
root = Path(".").resolve()
project = Project.load(root)
stacks = project.stacks()
program.load(project)
bootstraps = account.recordings(root)
recorded = program.collect(program.start(project, [Run(project.stack(name), preview=False) for name in stacks]))
for name in stacks:
    recording = recorded[name, False]
    print(name, len(bootstraps), len(permissions.findings(recording, account.of_environment(recording, bootstraps))))
"""


def test_every_committed_stack_is_checked_with_its_accounts_roles() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["prod 2 0", "staging 2 0"]


def test_a_project_without_bootstrap_has_no_recordings(tmp_path: Path) -> None:
    assert bootstrap_of.recordings(tmp_path) == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_is_chosen_by_environment_account_and_region(stack: str) -> None:
    bootstraps = [run_bootstrap(name) for name in STACKS]
    found = bootstrap_of.of_environment(program(stack), bootstraps)
    assert found is not None
    assert found.stack == stack
    other = [run_bootstrap(stack, region="eu-north-1"), run_bootstrap(stack, environments=[{"name": "review"}])]
    assert bootstrap_of.of_environment(program(stack), other) is None


def test_a_program_in_another_region_is_not_covered() -> None:
    assert bootstrap_of.of_environment(program(ELSEWHERE[0]), [run_bootstrap("staging")]) is None
