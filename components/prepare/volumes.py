"""Make the task's empty volumes ready for an application that does not run as root.

Fargate mounts volumes that only root can write. This runs as root with the CHOWN capability and no other: without
DAC_OVERRIDE root cannot enter a directory once it is handed over, so contents come first, the mode second and the
owner last, from the leaves up. Files that the application only reads stay root's.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from components.prepare.report import report


def hand_over(directory: Path, seed: str | None, owner: tuple[int, int]) -> None:
    """Fill one directory and hand it over; a directory that is ready already is left alone."""
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
    """A file that everybody in the task may read and only root may change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    report("written", file=str(path))


def _give(path: Path, mode: int, owner: tuple[int, int]) -> None:
    """Set the mode, then the owner. A symbolic link is handed over itself and never followed."""
    if not path.is_symlink():
        path.chmod(mode)
    os.chown(path, *owner, follow_symlinks=False)
