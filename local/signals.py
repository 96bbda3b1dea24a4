"""The CloudWatch metrics that the emulators of AWS services emit."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Datum:
    """One value of a metric, at a time in seconds since the epoch."""

    namespace: str
    name: str
    dimensions: Dimensions
    value: float
    at: float


@dataclass
class Metrics:
    """All emitted values in order; several threads add to it."""

    data: list[Datum] = field(default_factory=list[Datum])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, namespace: str, name: str, value: float, at: float, dimensions: Mapping[str, str]) -> None:
        """Add one value with CloudWatch's namespace (such as ``AWS/ApplicationELB``), metric name and dimensions."""
        with self._lock:
            self.data.append(Datum(namespace, name, frozenset(dimensions.items()), value, at))

    def since(self, at: float) -> list[Datum]:
        """Return the values emitted since this time."""
        with self._lock:
            return [one for one in self.data if one.at >= at]
