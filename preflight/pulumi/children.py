"""The processes that a check starts: packs and runs. All of them end with it, however it ends.

An exception from a signal handler can be lost where Python ignores exceptions (for example in hooks around a fork), so
the handler for termination does the work itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Generator

ENDED = 143
"""The exit code of a process that was terminated on request."""

_running: set[int] = set()
_state = {"starting": 0, "asked": 0}


@contextlib.contextmanager
def starting() -> Generator[set[int]]:
    """Start a process in this block and add its id to the set: termination waits for that."""
    _state["starting"] += 1
    try:
        yield _running
    finally:
        _state["starting"] -= 1
        if _state["asked"] and not _state["starting"]:
            end()


def gone(process_id: int) -> None:
    """Remove a process that has ended and has been waited for."""
    _running.discard(process_id)


def kill(process_id: int) -> None:
    """End a process, and its forks if it leads a group of them.

    :raises ProcessLookupError: it has ended
    """
    try:
        os.killpg(process_id, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process_id, signal.SIGKILL)


def end(*_: object) -> None:
    """End every remaining process, then this one."""
    if _state["starting"]:
        _state["asked"] = 1
        return
    for process_id in sorted(_running):
        with contextlib.suppress(ProcessLookupError):
            kill(process_id)
    os._exit(ENDED)
