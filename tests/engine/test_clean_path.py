"""The engine starts program and packs from a shell in which no Python environment is active."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine import documented
from tests.engine.conftest import STACKS
from tests.engine.harness import REPOSITORY, Engine, clean_path


def test_the_environment_of_the_tests_is_taken_off_the_path() -> None:
    own = str(Path(sys.executable).parent)
    assert clean_path(os.pathsep.join([own, "/usr/bin", "/bin"])) == os.pathsep.join(["/usr/bin", "/bin"])


@pytest.mark.engine
def test_the_python_on_that_path_has_no_pulumi(tmp_path: Path) -> None:
    environment = Engine(tmp_path, "staging").environment()
    done = subprocess.run(
        ["env", "python3", "-c", "import pulumi"],  # noqa: S607 - found on the clean PATH on purpose
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'pulumi'" in done.stderr


@pytest.mark.engine
@pytest.mark.parametrize("stack", STACKS)
def test_the_documented_command_starts_both_packs(stack: str, tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "engine", REPOSITORY, stack)
    words = ["preview", *documented.deploy_command(stack)[1:]]
    outcome = engine.documented(words)
    assert "ai-interface-guardrails@" in outcome.text
    assert "ai-interface-parity@" in outcome.text


@pytest.mark.engine
def test_a_pack_without_an_environment_does_not_start(tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "engine", REPOSITORY, "staging")
    project = engine.project / "policies" / "guardrails" / "PulumiPolicy.yaml"
    project.write_text(re.sub(r"runtime:\n(?:  .*\n)+", "runtime: python\n", project.read_text()))
    outcome = engine.documented(["preview", *documented.deploy_command("staging")[1:]], code=1)
    assert "No module named" in outcome.text
    assert engine.resources() == []
