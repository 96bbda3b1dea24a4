"""The parts of an Envoy configuration in the command of a container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.guardrails.topology.graph.documents import document

_MARK = "static_resources"
"""Marks an argument as a configuration of Envoy."""


def static_resources(command: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Return the listeners, clusters and secrets of each configuration in a command."""
    for text in command:
        configuration: Any = document(text) if _MARK in text else None
        if configuration:
            yield configuration[_MARK]


def part(of: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the object at a path of keys; empty if there is none."""
    for key in keys:
        of = of.get(key) or {}
    return of


def endpoint_of(cluster: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return ``address`` and ``port_value`` of a cluster's only endpoint; ``None`` for an internal listener."""
    (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    return endpoint["endpoint"]["address"].get("socket_address")
