"""One side of a change: a recording with what is read from it more than once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import ProxyFacts
from preflight.analysis.connectivity import connectivity_of
from preflight.analysis.edge_proxy import configuration, facts, facts_for, rules_about_people
from preflight.errors import PreflightError
from preflight.findings import Connectivity
from preflight.recording.recorder import Recording
from preflight.review.diagram import Diagram, diagram_of


@dataclass(frozen=True)
class Side:
    """A stack before or after the change. Each part is read once, when it is asked for."""

    recording: Recording

    @cached_property
    def graph(self) -> Graph:
        """The resources and their references."""
        return Graph.from_recorded(self.recording.resources)

    @cached_property
    def proxy(self) -> ProxyFacts | None:
        """The limits and rules of the proxy; ``None`` without a proxy whose configuration is known."""
        try:
            return facts(configuration(self.recording))
        except PreflightError:
            return None

    def proxy_at(self, host: str) -> ProxyFacts | None:
        """The limits and rules of the proxy at a host name."""
        try:
            return facts_for(configuration(self.recording), host)
        except PreflightError:
            return None

    @cached_property
    def people(self) -> Mapping[str, Any]:
        """The proxy's rules about people; empty without a proxy."""
        try:
            return rules_about_people(configuration(self.recording))
        except PreflightError:
            return {}

    @cached_property
    def connectivity(self) -> Connectivity:
        """Ingress and egress."""
        name = self.recording.stack
        found = connectivity_of({(name, False): self.recording}, [name])
        return found[0] if found else Connectivity(name, (), (), proven=True)

    @cached_property
    def diagram(self) -> Diagram:
        """Parts and connections."""
        return diagram_of(self.recording, self.graph)


def added(before: Mapping[str, object] | set[str], after: Mapping[str, object] | set[str]) -> list[str]:
    """The keys that only ``after`` has, sorted; with the sides exchanged, those that are gone."""
    return sorted(set(after) - set(before))


def listed(items: list[str], most: int = 12) -> str:
    """Items as a list in a sentence; past ``most`` the others are counted."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
