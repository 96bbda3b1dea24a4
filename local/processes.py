"""Programs that are stopped at the end of a block."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Generator


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


def ends_with_us(signal: str = "TERM") -> list[str]:
    """Return the prefix of a command line that makes Linux stop the program even if this process is killed first.

    Linux sends the signal when the *thread* that started the program ends. Empty if ``setpriv`` is not installed.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []
