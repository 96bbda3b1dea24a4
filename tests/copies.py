"""Copies of this project for tests that change its files, or run its commands where nothing else is."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_WITHOUT = ("tests/",)


def copy_of_project(folder: Path, *without: str) -> Path:
    """The files of the project, without its tests and without the files below the paths ``without``.

    The compiled modules come along and stay valid, because the copies have the times of the originals. Each command in the copy
    would otherwise compile the whole project first.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - git
    names = [name for name in listed.split("\0") if name and not name.startswith((*_WITHOUT, *without))]
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for source in sorted({(ROOT / name).parent / "__pycache__" for name in names if name.endswith(".py")}):
        target = folder / source.relative_to(ROOT)
        for compiled in source.glob("*.pyc"):
            target.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another process is replacing it
                shutil.copy2(compiled, target / compiled.name)
    return folder
