"""The wheel: it builds from what the repository tracks, holds all of it, and its command runs from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(
    name.rstrip("*")
    for name in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves its folders beside the source. Nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in _tracked():
        copied = folder / "project" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copied)
    _pip(
        "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(folder / "project")
    )
    (built,) = folder.glob("*.whl")
    return built


def _tracked() -> list[str]:
    """Relative paths, with / as separator."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    return [name for name in listed.split("\0") if (ROOT / name).is_file()]


def _pip(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_wheel_holds_every_tracked_file_of_its_packages(wheel: Path) -> None:
    """A data file with an ending that pyproject.toml does not list would be missing at run time only."""
    expected = {name for name in _tracked() if name.partition("/")[0] in PACKAGES}

    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}

    assert held == expected


@pytest.mark.slow
def test_the_command_of_the_wheel_runs_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    _pip("install", "--no-deps", "--no-index", "--no-compile", "--target", str(installed), str(wheel))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    done = subprocess.run(  # noqa: S603 - the command under test
        [installed / "bin" / "preflight", "-C", str(ROOT), "owners"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
