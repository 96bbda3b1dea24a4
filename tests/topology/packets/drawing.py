"""A generated network while it is drawn: what later resources refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from .recorded import Record, Recorded

T = TypeVar("T")


@dataclass
class Made:
    """What of one VPC later resources refer to."""

    draw: st.DrawFn
    recorded: Recorded
    vpc: Record
    v6: bool
    subnets: list[Record] = field(default_factory=list[Record])
    halves: list[str] = field(default_factory=list[str])
    """Blocks of subnets and parts of them, for rules."""
    halves_v6: list[str] = field(default_factory=list[str])
    lists: list[Record] = field(default_factory=list[Record])
    route_lists: list[Record] = field(default_factory=list[Record])
    tables: list[Record] = field(default_factory=list[Record])
    """Those whose routes are resources."""
    groups: list[Record] = field(default_factory=list[Record])
    count: int = 0

    def one(self, options: Sequence[T]) -> T:
        """One of several."""
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        """True this often; shrinks to False."""
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def number(self, low: int, high: int) -> int:
        """A whole number."""
        return self.draw(st.integers(low, high))

    def add(self, kind: str, name: str = "", /, **inputs: object) -> Record:
        """Register a resource under a new name."""
        self.count += 1
        return self.recorded.add(kind, name or f"{kind.rpartition('.')[2].lower()}-{self.count}", **inputs)
