"""Copies of this project for the release commands: the files alone, or all that the offline engine needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from preflight.release.project import ReleaseProject
from releases.record import Deployment
from tests.copies import copy_of_project

ROOT = Path(__file__).resolve().parents[3]
ACCOUNTS = {"staging": "111122223333", "prod": "444455556666"}
FIRST, SECOND, THIRD = "2026.10.1", "2026.11.1", "2026.12.1"


def files(folder: Path) -> ReleaseProject:
    """What the commands read and write, without a program."""
    for name in ("releases", "prompts", "policies/parity"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("shapes"))
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    records(folder, ("staging", FIRST), ("prod", FIRST), ("staging", SECOND))
    return ReleaseProject.in_folder(folder)


def whole(folder: Path) -> Path:
    """The project as it is committed, without tests and documents."""
    copy_of_project(folder, "docs/")
    records(folder, ("staging", FIRST), ("prod", FIRST), ("staging", SECOND))
    return folder


def preflight(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the copy's own command
        [sys.executable, "-m", "preflight", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def records(folder: Path, *entries: tuple[str, str], accounts: dict[str, str] = ACCOUNTS) -> None:
    """Replace the record."""
    text = "".join(
        Deployment(environment, release, f"2026-11-{day:02}T09:00:00Z", accounts[environment]).as_text()
        for day, (environment, release) in enumerate(entries, start=1)
    )
    (folder / "releases" / "deployed.yaml").write_text(f"# the record\ndeployments:\n{text}", encoding="utf-8")


def edit(folder: Path, file: str, **changes: Any) -> None:  # noqa: ANN401 - any YAML value
    """Change top-level keys of a YAML file."""
    path = folder / file
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, **changes}, sort_keys=False), encoding="utf-8")


def point(folder: Path, environment: str, version: str) -> None:
    path = folder / f"Pulumi.{environment}.yaml"
    before = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]["ai-interface:release"]
    path.write_text(path.read_text(encoding="utf-8").replace(f"release: {before}", f"release: {version}"))
