"""Every program and policy pack in this repository names the virtual environment of ``make setup``.

Without it, the engine would use the first ``python3`` on ``PATH``, where Pulumi is not installed. This test needs no Pulumi
CLI, so it runs with ``make test``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.engine import documented

ROOT = Path(__file__).resolve().parents[1]
STARTED = ("Pulumi.yaml", "PulumiPolicy.yaml")
PLUGIN = "PulumiPlugin.yaml"
_LEFT_OUT = {".venv", "build", "node_modules", "tests"}
"""Programs under tests/ are started in environments that the tests make."""


def made_by_setup() -> Path:
    """The environment of the Makefile's ``setup``: the folder that it gives to ``-m venv``."""
    recipe = re.search(r"^\$\(SETUP\):.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None, "the Makefile has no recipe for $(SETUP)"
    (folder,) = re.findall(r"-m venv (\S+)", recipe[1])
    return ROOT / folder


def files(*names: str) -> list[Path]:
    found = (path for name in names for path in ROOT.rglob(name))
    return sorted(path for path in found if not _LEFT_OUT & set(path.relative_to(ROOT).parts))


def problem(path: Path) -> str:
    """Why the engine would not use the environment of ``make setup`` for this project; empty if it does."""
    runtime: Any = yaml.safe_load(path.read_text(encoding="utf-8"))["runtime"]
    described = cast("dict[str, Any]", runtime) if isinstance(runtime, dict) else {}
    named = str(described.get("options", {}).get("virtualenv", ""))
    if not named:
        return f"{path.parent.name}/{path.name} names no virtualenv: the engine takes the python3 on PATH"
    if (path.parent / named).resolve() != made_by_setup().resolve():
        return f"{path.parent.name}/{path.name}: virtualenv {named} is not the environment of make setup"
    return ""


def test_there_are_projects_and_packs_to_look_at() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in files(*STARTED)} >= {
        "Pulumi.yaml",
        "bootstrap/Pulumi.yaml",
        "policies/guardrails/PulumiPolicy.yaml",
        "policies/parity/PulumiPolicy.yaml",
    }


@pytest.mark.parametrize("path", files(*STARTED), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_project_and_pack_names_the_environment_of_make_setup(path: Path) -> None:
    assert problem(path) == ""


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        ("python", "names no virtualenv"),
        ({"name": "python"}, "names no virtualenv"),
        ({"name": "python", "options": {"toolchain": "pip"}}, "names no virtualenv"),
        ({"name": "python", "options": {"virtualenv": "venv"}}, "is not the environment of make setup"),
        ({"name": "python", "options": {"virtualenv": "../.venv"}}, "is not the environment of make setup"),
    ],
)
def test_a_pack_that_the_engine_could_not_start_is_found(tmp_path: Path, runtime: object, said: str) -> None:
    path = tmp_path / "pack" / "PulumiPolicy.yaml"
    path.parent.mkdir()
    shutil.copy(ROOT / "policies" / "guardrails" / "PulumiPolicy.yaml", path)
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, "runtime": runtime}), encoding="utf-8")
    assert said in problem(path)


@pytest.mark.parametrize("path", files(PLUGIN), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_plugin_brings_what_its_own_environment_needs(path: Path) -> None:
    """The engine makes ``venv`` in the folder of a plugin that names none, from the requirements.txt beside it."""
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["runtime"] == "python"
    assert re.search(r"^pulumi==", (path.parent / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_documented_deploy_command_names_packs_that_start(stack: str) -> None:
    packs = documented.packs(documented.deploy_command(stack))
    assert [pack.name for pack in packs] == ["guardrails", "parity"]
    assert [problem(pack / "PulumiPolicy.yaml") for pack in packs] == ["", ""]


def test_every_job_that_runs_pulumi_makes_that_environment_first() -> None:
    action = yaml.safe_load((ROOT / ".github/actions/set-up/action.yml").read_text(encoding="utf-8"))
    assert any(step.get("run") == "make setup" for step in action["runs"]["steps"])
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            steps: list[dict[str, Any]] = job.get("steps", [])
            first = next((n for n, s in enumerate(steps) if re.search(r"(^|\s)pulumi ", s.get("run", ""))), None)
            if first is not None:
                assert {"uses": "./.github/actions/set-up"} in steps[:first], f"{path.name}: {name}"
