"""The destinations of prompts that need attention: those on the internet, as the proxies' configurations declare them and as routes
and security groups open them, Bedrock's endpoint without a guardrail, and the private search and tool servers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.guardrails.checks import listed
from policies.guardrails.proxies import nodes_in
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_mapping
from policies.guardrails.topology.network.addresses import INTERNET, TCP, describe, describe_ports
from policies.guardrails.topology.reachability.facts.build import facts_of
from preflight.analysis.edge_proxy import configuration
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording


def providers(recording: Recording) -> dict[str, tuple[str, ...]]:
    """Host and port of each provider on the internet → the model groups whose prompts the interface's proxy may send there,
    sorted. Empty for a stack without a proxy whose configuration is known."""
    try:
        static = configuration(recording)["static_resources"]
    except PreflightError:
        return {}
    tunnels = {str(one.get("name")): _destination(one) for one in _objects(static.get("listeners"))}
    clusters = {str(one.get("name")): one for one in _objects(static.get("clusters"))}
    found: dict[str, set[str]] = {}
    for name, cluster in clusters.items():
        if not name.startswith("group-"):
            continue
        for member in _members(cluster):
            server = clusters.get(member.replace("upstream-", "server-", 1), {})
            for listener in _listeners(server):
                if destination := tunnels.get(listener):
                    found.setdefault(destination, set()).add(name.removeprefix("group-"))
    return {destination: tuple(sorted(found[destination])) for destination in sorted(found)}


_MANTLE = re.compile(r"bedrock-mantle\.[a-z0-9-]+\.api\.aws")
"""The host of Bedrock's endpoint at which no guardrail applies."""


def unguarded(recording: Recording) -> dict[str, tuple[str, ...]]:
    """Host and port of each ``bedrock-mantle`` → the model groups whose prompts the interface's proxy may send there, sorted. Empty
    for a stack without a proxy whose configuration is known."""
    try:
        static = configuration(recording)["static_resources"]
    except PreflightError:
        return {}
    found: dict[str, set[str]] = {}
    for listener in _objects(static.get("listeners")):
        group = str(listener.get("name")).removeprefix("upstream-").partition(":")[0]
        for node in nodes_in(listener):
            host = str(node.get("host_rewrite_literal", ""))
            if _MANTLE.fullmatch(host):
                found.setdefault(f"{host}:443", set()).add(group)
    return {destination: tuple(sorted(found[destination])) for destination in sorted(found)}


def tools(recording: Recording) -> dict[str, str]:
    """Host and port of each private search and tool server → what the interface's proxy sends there, sorted. Empty for a stack
    without a proxy whose configuration is known."""
    try:
        static = configuration(recording)["static_resources"]
    except PreflightError:
        return {}
    found: dict[str, set[str]] = {}
    for route in (node for listener in _objects(static.get("listeners")) for node in nodes_in(listener)):
        action, name = as_mapping(route.get("route")) or {}, str(route.get("name"))
        if action.get("cluster") == f"server-{name}" and (name == "search" or name.startswith("tools:")):
            host, _, port = str(action.get("host_rewrite_literal")).partition(":")
            found.setdefault(f"{host}:{port or 443}", set()).add("searches" if name == "search" else "calls of tools")
    return {destination: ", ".join(sorted(found[destination])) for destination in sorted(found)}


def _destination(listener: Mapping[str, Any]) -> str:
    tunnels = [as_mapping(node.get("tunneling_config")) for node in nodes_in(listener)]
    return next((str(one.get("hostname")) for one in tunnels if one), "")


def _members(cluster: Mapping[str, Any]) -> list[str]:
    config = as_mapping((as_mapping(cluster.get("cluster_type")) or {}).get("typed_config")) or {}
    return [str(name) for name in listed(config.get("clusters"))]


def _listeners(cluster: Mapping[str, Any]) -> list[str]:
    nodes = nodes_in(cluster.get("load_assignment"))
    return [str(node["server_listener_name"]) for node in nodes if "server_listener_name" in node]


def _objects(value: object) -> list[dict[str, Any]]:
    return [found for one in listed(value) if (found := as_mapping(one)) is not None]


def egress(recording: Recording, graph: Graph) -> Iterator[str]:
    """The egress that needs attention: each provider and each endpoint without a guardrail, with its model groups, each search
    and tool server, and each service that may connect to the internet."""
    for destination, groups in providers(recording).items():
        yield f"{destination} on the internet (prompts of {', '.join(groups)})"
    for destination, groups in unguarded(recording).items():
        yield f"{destination} without a guardrail (prompts of {', '.join(groups)})"
    for destination, what in tools(recording).items():
        yield f"{destination} ({what})"
    yield from _opened(graph)


def _opened(graph: Graph) -> Iterator[str]:
    facts = facts_of(graph)
    for peer in facts.peers.all:
        if peer.resource.kind != "ecs.Service" or not any(facts.routing.outward(subnet) for subnet in peer.subnets):
            continue
        for rule in facts.peers.rules(peer, ingress=False):
            if TCP in rule.protocols and (beyond := rule.addresses & INTERNET):
                yield f"tcp {describe_ports(rule.ports)} to {describe(beyond)} by NAT gateway ({peer.resource.name})"
