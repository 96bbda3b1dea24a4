"""Programs that are stopped at the end of a block."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

_NANOSECONDS = 1e9


@contextlib.contextmanager
def ending(process: subprocess.Popen[bytes], seconds: float) -> Generator[None]:
    """Terminate the program at the end of the block, by force if it is still running after ``seconds``."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def waited(process: int) -> float:
    """Seconds for which a process was ready to run and this machine had no processor for it; 0 where it has ended.

    Of its main thread (``Documentation/scheduler/sched-stats.rst``, ``/proc/<pid>/schedstat``).
    """
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / _NANOSECONDS
    except (OSError, LookupError):
        return 0.0


def ends_with_us(signal: str = "TERM") -> list[str]:
    """Return the prefix of a command line that makes Linux stop the program even if this process is killed first.

    Linux sends the signal when the *thread* that started the program ends. Empty if ``setpriv`` is not installed.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []
