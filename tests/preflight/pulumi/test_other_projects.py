"""A project of another team: its own program runs, with its own modules, or the error says why not."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from preflight.errors import ConfigurationError
from preflight.pulumi import packs
from preflight.pulumi.modules import OWN, shadowing
from preflight.pulumi.program import Run, collect, load, start
from preflight.pulumi.project import Project
from preflight.pulumi.runnable import require_runnable
from tests.settings.stack_files import ROOT

PROGRAM = """
import pulumi
import components.store, local, policies.names, releases, settings
from components.common import aws_limits

pulumi.export("said", [components.store.SAID, local.SAID, policies.names.SAID, releases.SAID, settings.SAID, aws_limits.SAID])
"""


def files(folder: Path, content: dict[str, str]) -> Path:
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def preflight(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "preflight", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=["a folder", "a file"])
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project whose modules have the names of this repository's packages, as packages, files and a folder without an
    ``__init__.py``."""
    program, main = {"a folder": ("infra/__main__.py", "infra"), "a file": ("infra/app.py", "infra/app.py")}[
        request.param
    ]
    said = {
        "infra/components/__init__.py": "",
        "infra/components/store.py": "SAID = 'components'\n",
        "infra/components/common/aws_limits.py": "SAID = 'limits'\n",
        "infra/local.py": "SAID = 'local'\n",
        "infra/policies/names.py": "SAID = 'policies'\n",
        "infra/releases/__init__.py": "SAID = 'releases'\n",
        "infra/settings/__init__.py": "SAID = 'settings'\n",
    }
    stack = {"Pulumi.yaml": f"name: shop\nruntime: python\nmain: {main}\n", "Pulumi.dev.yaml": "config: {}\n"}
    return files(tmp_path, {**said, **stack, program: PROGRAM})


def test_a_program_gets_its_own_modules(theirs: Path) -> None:
    done = preflight("graph", "dev", cwd=theirs)
    assert done.returncode == 0, done.stderr
    (stack,) = json.loads(done.stdout)["resources"]
    assert stack["outputs"]["said"] == ["components", "local", "policies", "releases", "settings", "limits"]
    assert shadowing(theirs / "infra") == {"components", "local", "policies", "releases", "settings"}


def test_its_modules_are_imported_once_for_all_runs_and_are_not_this_process_s(theirs: Path) -> None:
    imported = theirs / "imported"
    with (theirs / "infra" / "settings" / "__init__.py").open("a") as file:
        file.write(f"with open({str(imported)!r}, 'a') as noted: noted.write('once ')\n")
    project = Project.load(theirs)
    ours = importlib.import_module("settings")
    load(project)
    assert sys.modules["settings"] is ours
    stack = project.stack("dev")
    found = collect(start(project, [Run(stack, preview=False), Run(stack, preview=True)]))
    said = ["components", "local", "policies", "releases", "settings", "limits"]
    assert [one.outputs["said"] for one in found.values()] == [said, said]
    assert imported.read_text() == "once "
    assert sys.modules["settings"] is ours


def test_this_repository_shadows_nothing(tmp_path: Path) -> None:
    assert shadowing(ROOT) == frozenset()
    (tmp_path / "settings").symlink_to(ROOT / "settings")
    assert shadowing(tmp_path) == frozenset()


def test_every_package_of_the_import_contracts_is_set_aside() -> None:
    contracts = (
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("root_packages = ")[2].partition("\n")[0]
    )
    assert tuple(json.loads(contracts)) == OWN


@pytest.mark.parametrize("runtime", ["nodejs", "go", "yaml", "{name: dotnet}"])
def test_a_program_in_another_language_is_named_with_what_evaluates_it(runtime: str, tmp_path: Path) -> None:
    files(tmp_path, {"Pulumi.yaml": f"name: site\nruntime: {runtime}\n", "Pulumi.dev.yaml": "config: {}\n"})
    for command in (("check",), ("graph", "dev")) if runtime == "go" else ():
        done = preflight(*command, cwd=tmp_path)
        assert done.returncode == 2, command
        assert "site has the runtime go" in done.stderr
    with pytest.raises(ConfigurationError, match="pulumi preview --policy-pack guardrails"):
        require_runnable(Project.load(tmp_path))


def test_the_program_of_another_folder_is_not_run_instead(tmp_path: Path) -> None:
    """Python would find a ``__main__.py`` elsewhere on its path, which is this repository's."""
    files(tmp_path, {"Pulumi.yaml": "name: site\nruntime: python\nmain: infra\n", "Pulumi.dev.yaml": "config: {}\n"})
    done = preflight("-C", str(tmp_path), "check", cwd=ROOT)
    assert done.returncode == 2
    assert f"there is no __main__.py in {tmp_path / 'infra'}" in done.stderr
    assert "main in Pulumi.yaml (now: infra)" in done.stderr
    files(tmp_path, {"up.py": "import os\nfrom pulumi import automation as auto\n"})
    assert "up.py:2 uses the automation API" in preflight("-C", str(tmp_path), "check", cwd=ROOT).stderr


def test_a_missing_module_is_named_with_the_environment_that_needs_it(tmp_path: Path) -> None:
    project = "name: site\nruntime: {name: python, options: {virtualenv: venv}}\n"
    files(
        tmp_path, {"Pulumi.yaml": project, "Pulumi.dev.yaml": "config: {}\n", "__main__.py": "import pulumi_nowhere\n"}
    )
    done = preflight("graph", "dev", cwd=tmp_path)
    assert done.returncode == 2
    assert "__main__.py:1" in done.stderr
    assert "install preflight there, and run venv/bin/python -m preflight" in done.stderr


def test_the_pack_is_written_for_the_engine_and_replaced_only_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "guardrails"
    packs.write(folder)
    (folder / "stale.py").write_text("")
    packs.write(folder)
    assert not (folder / "stale.py").exists()
    options = yaml.safe_load((folder / "PulumiPolicy.yaml").read_text(encoding="utf-8"))["runtime"]["options"]
    assert options["virtualenv"] == sys.prefix
    tracked = subprocess.run(["git", "ls-files", "."], cwd=packs.SHIPPED, capture_output=True, text=True, check=True)  # noqa: S607
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} >= set(
        tracked.stdout.split()
    )
    with pytest.raises(ConfigurationError, match="not a copy of the guardrails"):
        packs.write(files(tmp_path / "other", {"kept.txt": "x"}))
    assert (tmp_path / "other" / "kept.txt").is_file()
