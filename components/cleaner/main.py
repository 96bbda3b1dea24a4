"""Remove files that the application does not need again, until SIGTERM.

The plan is JSON in CLEANER_PLAN::

    {"directories": ["/data/uploads"], "every": 60, "keep": 3600, "spare": 300, "high": 70, "low": 60}

Every ``every`` seconds it removes the files in these directories that were written more than ``keep`` seconds ago. While more
than ``high`` percent of the disk are in use, it also removes younger ones, the oldest first, until ``low`` percent are in use.
It never removes a file that was written less than ``spare`` seconds ago, a directory or a symbolic link, and follows no link.
A process that has a removed file open reads it to the end. The container has the application's user and only its data volume,
so nothing that the application could not remove is within reach. The log has counts and sizes, never a name.
"""

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def main() -> int:
    """Clean until SIGTERM, and return the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    plan = json.loads(os.environ["CLEANER_PLAN"])
    above = False
    while True:
        files, size, percent = clean(plan, time.time(), used)
        if files:
            report("removed", files=files, bytes=size, percent=percent)
        if above != (percent > plan["high"]):
            above = not above
            report("above-mark" if above else "below-mark", percent=percent, mark=plan["high"])
        if signal.sigtimedwait([signal.SIGTERM], plan["every"]):
            return 0


def clean(plan: dict[str, Any], now: float, used: Callable[[str], float]) -> tuple[int, int, int]:
    """Remove what the plan allows. Returns the number and size of the removed files, and the share of the disk that is in use.

    ``used`` returns that share, in percent, for a directory.
    """
    files = size = percent = 0
    for directory in plan["directories"]:
        if str(Path(directory).resolve()) != directory or not Path(directory).is_dir():
            continue
        over = used(directory) > plan["high"]
        for written, length, path in sorted(found(directory)):
            over = over and used(directory) > plan["low"]
            if now - written < plan["spare" if over else "keep"]:
                break
            try:
                path.unlink()
            except OSError:
                continue
            files += 1
            size += length
        percent = max(percent, round(used(directory)))
    return files, size, percent


def found(directory: str) -> Iterator[tuple[float, int, Path]]:
    """Time of writing, size and path of every regular file below a directory."""
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                state = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode):
                yield state.st_mtime, state.st_size, path


def used(directory: str) -> float:
    """The share of the disk in use that a directory is on, as ``df`` shows it."""
    disk = os.statvfs(directory)
    taken = disk.f_blocks - disk.f_bfree
    return 100 * taken / max(1, taken + disk.f_bavail)


def report(event: str, **details: int) -> None:
    """One line of JSON for the container's log."""
    sys.stdout.write(json.dumps({"event": event, **details}, sort_keys=True) + "\n")
    sys.stdout.flush()
