"""Prepare the task's empty volumes for an application that does not run as root.

Fargate mounts volumes that only root can write. This code runs as root with only the CHOWN capability. Without DAC_OVERRIDE,
root cannot enter a directory that another user owns, so it writes the contents first, then sets the mode and last the owner,
from the leaves up. Files that the application only reads stay owned by root.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from components.prepare.report import report


def hand_over(directory: Path, seed: str | None, owner: tuple[int, int]) -> None:
    """Fill one directory and change its owner; a directory that is already prepared is left unchanged."""
    directory.mkdir(parents=True, exist_ok=True)
    state = directory.lstat()
    if (state.st_uid, state.st_gid, state.st_mode & 0o7777) == (*owner, 0o700):
        report("kept", directory=str(directory))
        return
    if seed is not None:
        shutil.copytree(seed, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for folder, folders, files in os.walk(directory, topdown=False):
        for name in files:
            _give(Path(folder, name), 0o600, owner)
        for name in folders:
            _give(Path(folder, name), 0o700, owner)
    _give(directory, 0o700, owner)
    report("prepared", directory=str(directory), seeded=seed is not None)


def write(path: Path, text: str) -> None:
    """Write a file that every user in the task can read and only root can change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    report("written", file=str(path))


def _give(path: Path, mode: int, owner: tuple[int, int]) -> None:
    """Set the mode, then the owner. For a symbolic link, the owner of the link itself is changed; it is not followed."""
    if not path.is_symlink():
        path.chmod(mode)
    os.chown(path, *owner, follow_symlinks=False)
