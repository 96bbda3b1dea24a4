"""The refusals of the twin's parts with their causes, as the twin prints them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused:
    """One refusal."""

    part: str
    """The part that refused: ``bedrock``, ``edge``, ``database``."""
    cause: str
    """A sentence that names the resource and the property or statement."""

    def __str__(self) -> str:
        return f"{self.part}: {self.cause}"


@dataclass
class Refusals:
    """All refusals in order; several threads add to it."""

    entries: list[Refused] = field(default_factory=list[Refused])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, part: str, cause: str) -> Refused:
        """Add a refusal."""
        made = Refused(part, cause)
        with self._lock:
            self.entries.append(made)
        return made

    def of(self, part: str) -> list[str]:
        """Return the causes of one part's refusals, in order."""
        with self._lock:
            return [one.cause for one in self.entries if one.part == part]
