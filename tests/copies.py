"""Copies of this project for tests that change its files, or run its commands where nothing else is."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_WITHOUT = ("tests/",)
_IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.com")


def copy_of_project(folder: Path, *without: str) -> Path:
    """The files of the project, without its tests and without the files below the paths ``without``.

    The compiled modules come along and stay valid, because the copies have the times of the originals. Each command in the copy
    would otherwise compile the whole project first.
    """
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
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


def commit(folder: Path) -> Path:
    """Make the folder a separate git repository, with everything in one commit.

    It reads the objects of this project's repository, because compressing and writing all files again takes longer than copying them.
    """
    git(folder, "init", "--quiet")
    objects = ROOT / git(ROOT, "rev-parse", "--git-common-dir").strip() / "objects"
    (folder / ".git/objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "copy")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """What git prints in the folder."""
    command = ["git", *_IDENTITY, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603 - git
