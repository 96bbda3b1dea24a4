"""Programs that end when a block does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Generator


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


def ends_with_us(signal: str = "TERM") -> list[str]:
    """What comes before a command so that Linux ends the program even if this one is killed before it can.

    Linux sends the signal when the *thread* that started the program ends. Empty where there is no ``setpriv``.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []
