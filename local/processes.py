"""Programs that end when a block does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

_NANOSECONDS = 1e9


@contextlib.contextmanager
def ending(process: subprocess.Popen[bytes], seconds: float) -> Generator[None]:
    """Ask the program to end when the block does, and end it by force if it has not after ``seconds``."""
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
    """What comes before a command so that Linux ends the program even if this one is killed before it can.

    Linux sends the signal when the *thread* that started the program ends. Empty where there is no ``setpriv``.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []
