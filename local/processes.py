"""Programs that end when a block does."""

from __future__ import annotations

import contextlib
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
