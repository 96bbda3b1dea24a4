"""Programs that end with this one, and how long they wait for a processor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.processes import waited
from tests.local.around import until

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
OWNER = """
import sys, time
from local.wiring import Loopback, program
with program(Loopback(), "", [sys.executable, "-c", sys.argv[1]], environment={}, orphaned=sys.argv[2]) as started:
    print(started.pid, flush=True)
    time.sleep(60)
"""


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("orphaned", "ends"), [("KILL", True), ("TERM", False)])
def test_a_program_that_does_not_answer_ends_with_its_owner_where_it_is_killed(orphaned: str, ends: bool) -> None:
    command = [sys.executable, "-c", OWNER, DEAF, orphaned]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file's program
    assert owner.stdout is not None
    said = {owner.stdout.readline().strip(), owner.stdout.readline().strip()}
    (process,) = (int(one) for one in said - {"deaf"})
    try:
        owner.kill()
        owner.wait()
        assert until(5 if ends else 1, lambda: not _alive(process)) == ends
    finally:
        owner.stdout.close()
        if _alive(process):
            os.kill(process, signal.SIGKILL)


def test_the_time_without_a_processor_is_known() -> None:
    busy = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass"
    one = min(os.sched_getaffinity(0))
    pinned = ["taskset", "--cpu-list", str(one), sys.executable, "-c", busy]
    programs = [subprocess.Popen(pinned) for _ in range(3)]  # noqa: S603 - this file's program
    try:
        time.sleep(1.5)
        times = [waited(started.pid) for started in programs]
    finally:
        for started in programs:
            started.wait()
    # Three on one processor: each waits for two thirds of the time.
    assert sum(times) > 1.5
    assert waited(programs[0].pid) == 0
