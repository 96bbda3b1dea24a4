"""Remove files that the application does not need again, until SIGTERM.

The plan is JSON in CLEANER_PLAN::

    {"directories": ["/data/uploads"], "every": 60, "keep": 3600, "spare": 300, "high": 70, "low": 60}

Every ``every`` seconds it removes the files in these directories that were written more than ``keep`` seconds ago. While more
than ``high`` percent of the disk are in use, it also removes younger ones, the oldest first, until ``low`` percent are in use.
It never removes a file that was written less than ``spare`` seconds ago or that a process has open, a directory, a symbolic
link, or anything that a symbolic link leads to. The log has counts and sizes, never a name.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
PASSED_OVER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM)
"""Not there any more, a symbolic link, or another user's: nothing that keeps the rest from being removed."""


class PlanError(Exception):
    """The plan is not one; the message states the reason."""


@dataclass(frozen=True, order=True)
class Found:
    """A file below one of the directories; the oldest is the smallest."""

    written: float
    size: int
    number: int
    """The inode."""
    folders: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Cleaned:
    """The result of one look at the disk."""

    files: int
    size: int
    percent: int
    """The share of the disk that is in use afterwards."""


def main() -> int:
    """Clean until SIGTERM, and return the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    # The kernel sends it if another process opens a file while this one has a lease on it.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        plan = read_plan(os.environ.get("CLEANER_PLAN", ""))
    except PlanError as problem:
        report("failed", reason=str(problem))
        return 1
    above = False
    while True:
        try:
            above = told(plan, clean(plan, time.time(), used), above=above)
        except OSError as problem:
            # The text of the exception would have the file's name.
            report("failed", reason=os.strerror(problem.errno or 0))
        if signal.sigtimedwait([signal.SIGTERM], plan["every"]) is not None:
            return 0


def read_plan(text: str) -> dict[str, Any]:
    """The plan; every directory in it is checked to be a plain absolute path below /."""
    try:
        plan = json.loads(text)
        numbers = [float(plan[name]) for name in ("every", "spare", "keep")]
        marks = [float(plan[name]) for name in ("low", "high")]
        directories = [str(one) for one in plan["directories"]]
    except (ValueError, KeyError, TypeError) as problem:
        raise PlanError("CLEANER_PLAN is not a plan: " + repr(problem)) from problem
    if not directories or numbers[0] <= 0 or not 0 <= numbers[1] <= numbers[2] or not 0 <= marks[0] <= marks[1]:
        raise PlanError("CLEANER_PLAN needs directories, every > 0, spare <= keep and low <= high")
    for path in directories:
        if not path.startswith("/") or os.path.normpath(path) != path or path == "/":
            raise PlanError("CLEANER_PLAN names " + repr(path) + ", which is not a plain absolute path")
    return plan


def clean(plan: dict[str, Any], now: float, used: Callable[[int], float]) -> Cleaned:
    """Remove what the plan allows. ``used`` returns the share of the disk in use that a directory is on, in percent."""
    files = size = 0
    percent, over = 0.0, False
    for directory in plan["directories"]:
        root = tuple(directory.strip("/").split("/"))
        with opened(root) as folder:
            if folder is None:
                continue
            before = used(folder)
            over = before > plan["high"]
            for one in sorted(inside(folder, root)):
                age = now - one.written
                over = over and used(folder) > plan["low"]
                if age < plan["spare"] or (age < plan["keep"] and not over):
                    break
                if removed(one):
                    files += 1
                    size += one.size
            percent = max(percent, used(folder))
    return Cleaned(files, size, round(percent))


def used(folder: int) -> float:
    """The share of the disk in use that an open directory is on, as ``df`` shows it."""
    disk = os.fstatvfs(folder)
    taken = disk.f_blocks - disk.f_bfree
    return 100 * taken / max(1, taken + disk.f_bavail)


@contextmanager
def opened(folders: tuple[str, ...]) -> Generator[int | None]:
    """A directory by the names from / to it, none of which may be a symbolic link; ``None`` if it cannot be opened."""
    folder = os.open("/", FOLDER)
    try:
        for name in folders:
            inner = os.open(name, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
    except OSError as problem:
        os.close(folder)
        if problem.errno not in PASSED_OVER:
            raise
        yield None
        return
    try:
        yield folder
    finally:
        os.close(folder)


def inside(folder: int, folders: tuple[str, ...]) -> Iterator[Found]:
    """Every regular file in an open directory and in those below it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(state.st_mode):
                yield Found(state.st_mtime, state.st_size, state.st_ino, folders, entry.name)
            elif stat.S_ISDIR(state.st_mode):
                within = (*folders, entry.name)
                with opened(within) as inner:
                    if inner is not None and os.fstat(inner).st_dev == os.fstat(folder).st_dev:
                        yield from inside(inner, within)


def removed(one: Found) -> bool:
    """Remove a file unless it was replaced since it was found, or a process has it open."""
    with opened(one.folders) as folder:
        if folder is None:
            return False
        try:
            file = os.open(one.name, FILE, dir_fd=folder)
        except OSError as problem:
            if problem.errno in PASSED_OVER:
                return False
            raise
        try:
            state = os.fstat(file)
            if (state.st_ino, state.st_mtime) != (one.number, one.written) or in_use(file):
                return False
            os.unlink(one.name, dir_fd=folder)
        except OSError as problem:
            if problem.errno in PASSED_OVER:
                return False
            raise
        finally:
            os.close(file)
    return True


def in_use(file: int) -> bool:
    """Whether another process has the file open, in any container: only then the kernel refuses a write lease. Who opens
    the file later waits until this process closes it."""
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as problem:
        # A file system without leases cannot say it, and the file is old enough.
        return problem.errno in (errno.EAGAIN, errno.EACCES)
    return False


def told(plan: dict[str, Any], cleaned: Cleaned, *, above: bool) -> bool:
    """Report what was removed, and when the disk's use passes the mark in either direction. Returns whether it is above."""
    if cleaned.files:
        report("removed", files=cleaned.files, bytes=cleaned.size, percent=cleaned.percent)
    now_above = cleaned.percent > plan["high"]
    if now_above != above:
        report("above-mark" if now_above else "below-mark", percent=cleaned.percent, mark=plan["high"])
    return now_above


def report(event: str, **details: Any) -> None:  # noqa: ANN401 - any JSON value
    """One line of JSON for the container's log."""
    sys.stdout.write(json.dumps({"event": event, **details}, sort_keys=True) + "\n")
    sys.stdout.flush()
