"""Forwarding: the edges of entry points and load balancers, and the paths that these edges form.

An edge leads from the internet, or from a resource that forwards traffic, to the next resource. It records the property
that creates it, and whether traffic on it passes a web ACL or an authenticating action.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..graph.resources import Resource
from ..graph.verdicts import Hop
from .addresses import ALL_PORTS, TCP, Addresses, Intervals
from .addresses import INTERNET as INTERNET_ADDRESSES

INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Pass:
    """Whether a guard is passed: yes, no, or not known (``None``), with the reason."""

    value: bool | None
    unknowns: tuple[str, ...] = ()

    def __or__(self, other: Pass) -> Pass:
        if self.value is True or other.value is True:
            return PASSED
        if self.value is None or other.value is None:
            return Pass(None, tuple(dict.fromkeys((*self.unknowns, *other.unknowns))))
        return MISSED


PASSED = Pass(True)
MISSED = Pass(False)


@dataclass(frozen=True, slots=True)
class Edge:
    """One hop of traffic from one node to the next."""

    source: str
    target: str
    entry: Resource
    property: str
    hops: tuple[Hop, ...]
    web_acl: Pass = MISSED
    authentication: Pass = MISSED
    unknowns: tuple[str, ...] = ()
    """The unknown values that decide whether the edge exists."""
    protected: Resource | None = None
    """The resource with which a web ACL would be associated."""
    final: bool = False
    """Whether the target serves requests, rather than forwarding them."""
    addresses: Addresses = INTERNET_ADDRESSES
    """The internet addresses that may use it, of both families."""
    ports: Intervals = ALL_PORTS
    """The ports of its target."""
    protocol: str = TCP


@dataclass(frozen=True, slots=True)
class Path:
    """One path from the internet to a target, with the web ACL and authentication that it passes."""

    target: str
    edges: tuple[Edge, ...]
    web_acl: Pass
    authentication: Pass
    unknowns: tuple[str, ...]

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The witness: every step with the resource and property that allows it."""
        return (Hop(INTERNET), *(step for edge in self.edges for step in edge.hops))

    @property
    def addresses(self) -> Addresses:
        """The internet addresses that may use the whole path."""
        found = INTERNET_ADDRESSES
        for edge in self.edges:
            found &= edge.addresses
        return found

    @property
    def ports(self) -> tuple[Intervals, Intervals]:
        """The ports at the start and at the end of the path."""
        return self.edges[0].ports, self.edges[-1].ports

    @property
    def entry(self) -> Edge:
        """The last edge: the one that leads to the target."""
        return self.edges[-1]


@dataclass(slots=True)
class PathFinder:
    """All edges, and which nodes only forward traffic."""

    edges: dict[str, list[Edge]] = field(default_factory=dict[str, list[Edge]])

    def add(self, found: Iterable[Edge]) -> None:
        """Add edges."""
        for edge in found:
            self.edges.setdefault(edge.source, []).append(edge)

    def paths(self) -> list[Path]:
        """A path to every edge's target for each way of passing the guards, shortest first.

        Each node is visited once for every combination of guards passed, so the work grows with the edges.
        """
        found: list[Path] = []
        queue: list[Path] = [Path(INTERNET, (), MISSED, MISSED, ())]
        seen: set[tuple[str, bool | None, bool | None, bool]] = set()
        for path in queue:
            for edge in self.edges.get(path.target, ()):
                step = Path(
                    edge.target,
                    (*path.edges, edge),
                    path.web_acl | edge.web_acl,
                    path.authentication | edge.authentication,
                    tuple(dict.fromkeys((*path.unknowns, *edge.unknowns))),
                )
                found.append(step)
                state = (step.target, step.web_acl.value, step.authentication.value, bool(step.unknowns))
                if state not in seen:
                    seen.add(state)
                    queue.append(step)
        return found
