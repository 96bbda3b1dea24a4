"""The processes that a check starts: packs and runs. All of them end with it, however it ends.

An exception out of a signal handler can get lost where Python ignores exceptions (in hooks around a fork, for
example), so a request to end does its work in the handler itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Generator

ENDED = 143
"""The exit code of a process that was asked to end."""

_running: set[int] = set()
_state = {"starting": 0, "asked": 0}


@contextlib.contextmanager
def starting() -> Generator[set[int]]:
    """Start a process in this block and add its id to the set: a request to end waits for that."""
    _state["starting"] += 1
    try:
        yield _running
    finally:
        _state["starting"] -= 1
        if _state["asked"] and not _state["starting"]:
            end()


def gone(process_id: int) -> None:
    """Remove a process that has ended and was waited for."""
    _running.discard(process_id)


def end(*_: object) -> None:
    """End every remaining process, then this one."""
    if _state["starting"]:
        _state["asked"] = 1
        return
    for process_id in sorted(_running):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
    os._exit(ENDED)
