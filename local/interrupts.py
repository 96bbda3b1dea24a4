"""Ctrl-C that always arrives.

Python discards an exception that a signal handler raises while a finalizer or the callback of a weak reference runs ("Exception
ignored in"). The program would run on, and because it ignores a second Ctrl-C, only SIGKILL would end it.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Generator
from types import FrameType

AGAIN_SECONDS = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Raise ``KeyboardInterrupt`` in the main thread at the first SIGINT or SIGTERM, repeatedly until it is handled. Further
    signals are ignored, because they would break off what stops the other programs."""
    before = {one: signal.signal(one, _interrupt) for one in _SIGNALS}
    alarm = signal.signal(signal.SIGALRM, _again)
    hook = sys.unraisablehook
    sys.unraisablehook = lambda lost: None if isinstance(lost.exc_value, KeyboardInterrupt) else hook(lost)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
    raise KeyboardInterrupt


def _again(_signal: int, _frame: FrameType | None) -> None:
    if not _handled():
        raise KeyboardInterrupt
    signal.setitimer(signal.ITIMER_REAL, 0)


def _handled() -> bool:
    """Whether the interrupted code is an ``except``, ``finally`` or ``__exit__`` that the interrupt has reached."""
    error = sys.exception()
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
