"""What a part of the twin refused, and why: the sentence that the twin shows."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused:
    """One refusal."""

    part: str
    """``bedrock``, ``edge``, ``database``: who refused."""
    cause: str
    """A sentence that names the resource and the property or statement."""

    def __str__(self) -> str:
        return f"{self.part}: {self.cause}"


@dataclass
class Refusals:
    """Everything that was refused, in order; written by several threads."""

    entries: list[Refused] = field(default_factory=list[Refused])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, part: str, cause: str) -> Refused:
        """Keep one refusal."""
        made = Refused(part, cause)
        with self._lock:
            self.entries.append(made)
        return made

    def of(self, part: str) -> list[str]:
        """The causes of one part, in order."""
        with self._lock:
            return [one.cause for one in self.entries if one.part == part]
