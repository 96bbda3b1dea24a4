"""Ctrl-C arrives wherever it meets the program, and does not break off what it started."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.interrupts import AGAIN_SECONDS
from local.stack import ROOT

ENDS_SECONDS = 30
PROGRAM = """
import contextlib, os, signal, time
from local.interrupts import interruptible

@contextlib.contextmanager
def other_programs():
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            time.sleep({cleanup})
            raise OSError
        time.sleep({cleanup})
        print("ended", flush=True)

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

def plainly():
    os.kill(os.getpid(), signal.SIGINT)

def in_a_finalizer():
    Finalized()

def twice():
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)

try:
    with interruptible(), other_programs():
        {how}()
        time.sleep(3600)
except KeyboardInterrupt:
    print("interrupted", flush=True)
time.sleep({cleanup})
os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("how", ["plainly", "in_a_finalizer", "twice"])
def test_it_arrives_once_and_what_stops_the_others_is_not_interrupted(how: str) -> None:
    program = PROGRAM.format(how=how, cleanup=3 * AGAIN_SECONDS)
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=ENDS_SECONDS, check=False
    )
    assert done.stdout == "ended\ninterrupted\n", done.stderr
    assert done.stderr == ""
    # Afterwards a signal has its usual effect again.
    assert done.returncode == -15
