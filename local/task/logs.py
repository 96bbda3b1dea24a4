"""Where containers write: one sink a log group, as the ``awslogs`` driver has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Sink = Callable[[str, str, str], None]
"""Log group, stream (``prefix/container/task``) and one line without its end."""


@dataclass(frozen=True)
class Line:
    """One event of a log stream."""

    group: str
    stream: str
    text: str
    at: float


@dataclass
class Lines:
    """A sink that keeps everything, in order."""

    lines: list[Line] = field(default_factory=list[Line])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, group: str, stream: str, text: str) -> None:
        """Keep a line."""
        with self._lock:
            self.lines.append(Line(group, stream, text, time.time()))

    def of(self, group: str) -> list[str]:
        """The lines of one group."""
        with self._lock:
            return [one.text for one in self.lines if one.group == group]
