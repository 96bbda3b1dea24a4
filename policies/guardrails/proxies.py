"""The limits and filters that a proxy in a container enforces, read from its Envoy configuration if the definition
contains it (JSON or YAML).

A configuration inside the image is not visible; the proxy is then not evaluated.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .checks import Container, listed
from .topology.graph.documents import document
from .topology.graph.values import Value, as_list, as_mapping

_SECONDS = re.compile(r"^(\d+(?:\.\d+)?)s$")
MANAGER = "http_connection_manager"
_LOCAL_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class Chain:
    """One filter chain of a listener: whether it uses TLS, and the filters that read its connections."""

    encrypted: bool
    managers: tuple[dict[str, Any], ...]
    """The HTTP connection managers: route configuration, HTTP filters, limits."""
    others: tuple[str, ...]
    """The names of filters that forward bytes without parsing requests."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener that is reachable from outside the task."""

    name: str
    port: int | None
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """An Envoy proxy and its configuration."""

    container: Container
    configuration: dict[str, Any]

    def inbound(self) -> list[Listener]:
        """The listeners that are reachable from outside the task."""
        static = as_mapping(self.configuration.get("static_resources")) or {}
        listeners = [item for entry in listed(static.get("listeners")) if (item := as_mapping(entry)) is not None]
        return [_listener(item, number) for number, item in enumerate(listeners) if not _is_internal(item)]

    def has_public_admin(self) -> bool:
        """Whether the administration interface is reachable from outside the task."""
        admin = as_mapping(self.configuration.get("admin")) or {}
        return admin.get("address") is not None and not _is_internal(admin)

    def tunnels(self) -> list[str]:
        """The names of the listeners that open a tunnel (CONNECT) for what is sent to them."""
        static = as_mapping(self.configuration.get("static_resources")) or {}
        listeners = [item for entry in listed(static.get("listeners")) if (item := as_mapping(entry)) is not None]
        return [str(one.get("name")) for one in listeners if any("tunneling_config" in node for node in nodes_in(one))]

    def clusters(self) -> list[dict[str, Any]]:
        """The clusters that the proxy forwards requests to."""
        static = as_mapping(self.configuration.get("static_resources")) or {}
        return [item for entry in listed(static.get("clusters")) if (item := as_mapping(entry)) is not None]


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """The inbound limits of a proxy in seconds; ``None`` if a limit is not set."""

    keep_alive: float | None = None
    stream: float | None = None


def proxy_of(container: Container) -> Proxy | None:
    """The Envoy proxy that a container runs, if its definition contains the configuration."""
    environment = [(as_mapping(item) or {}).get("value") for item in listed(container.get("environment"))]
    for text in [*listed(container.get("command")), *listed(container.get("entryPoint")), *environment]:
        if isinstance(text, str) and "static_resources" in text and (found := _parsed(text)) is not None:
            return Proxy(container, found)
    return None


def _parsed(text: str) -> dict[str, Any] | None:
    found = as_mapping(document(text))
    return found if found is not None and "static_resources" in found else None


def proxy_limits(container: Container) -> ProxyLimits:
    """The limits of the listeners that are reachable from outside the task."""
    proxy = proxy_of(container)
    if proxy is None:
        return ProxyLimits()
    managers = [manager for listener in proxy.inbound() for chain in listener.chains for manager in chain.managers]
    nodes = [node for manager in managers for node in nodes_in(manager)]
    idle = [seconds((as_mapping(node.get("common_http_protocol_options")) or {}).get("idle_timeout")) for node in nodes]
    streams = [seconds(node.get("max_stream_duration")) for node in nodes]
    return ProxyLimits(
        keep_alive=min((value for value in idle if value is not None), default=None),
        stream=max((value for value in streams if value), default=None),
    )


def routes_of(manager: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every route of a connection manager with its virtual host."""
    table = as_mapping(manager.get("route_config")) or {}
    for host in listed(table.get("virtual_hosts")):
        for route in listed((as_mapping(host) or {}).get("routes")):
            yield as_mapping(host) or {}, as_mapping(route) or {}


def kind_of_filter(item: Value) -> str:
    """The kind of a filter, from its configuration's type: ``rbac.v3.RBAC``. The filter's name is arbitrary."""
    config = as_mapping((as_mapping(item) or {}).get("typed_config")) or {}
    named = str(config.get("@type") or (as_mapping(item) or {}).get("name") or "")
    return named.rpartition(".filters.")[2].removeprefix("http.").removeprefix("network.")


def nodes_in(value: Value) -> Iterator[dict[str, Any]]:
    """Every object nested in a value."""
    mapping = as_mapping(value)
    if mapping is not None and {"max_stream_duration", "upgrade_configs"} <= set(mapping):
        return  # a route for WebSockets: a deployment closes them, and clients connect again
    if mapping is not None:
        yield mapping
        for item in mapping.values():
            yield from nodes_in(item)
    for item in as_list(value) or []:
        yield from nodes_in(item)


def seconds(value: Value) -> float | None:
    """A duration as Envoy writes it (``10s``), in seconds."""
    match = _SECONDS.match(value) if isinstance(value, str) else None
    return float(match[1]) if match else None


def is_local(address: Value) -> bool:
    """Whether an address is reachable only from inside the task."""
    text = str(address)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text in _LOCAL_NAMES


def _is_internal(listener: dict[str, Any]) -> bool:
    if listener.get("internal_listener") is not None:
        return True
    address = as_mapping(listener.get("address")) or {}
    socket = as_mapping(address.get("socket_address")) or {}
    extra = [
        (as_mapping((as_mapping((as_mapping(item) or {}).get("address")) or {}).get("socket_address")) or {})
        for item in listed(listener.get("additional_addresses"))
    ]
    if address.get("pipe") is not None or address.get("envoy_internal_address") is not None:
        return True
    return all(is_local(place.get("address")) for place in (socket, *extra))


def _listener(listener: dict[str, Any], number: int) -> Listener:
    socket = as_mapping((as_mapping(listener.get("address")) or {}).get("socket_address")) or {}
    port = socket.get("port_value")
    chains = [*listed(listener.get("filter_chains")), *listed(listener.get("default_filter_chain"))]
    return Listener(
        str(listener.get("name") or number),
        int(port) if isinstance(port, int | float) else None,
        tuple(_chain(as_mapping(chain) or {}) for chain in chains),
    )


def _chain(chain: dict[str, Any]) -> Chain:
    filters = [(kind_of_filter(item), as_mapping(item) or {}) for item in listed(chain.get("filters"))]
    managers = tuple(as_mapping(item.get("typed_config")) or {} for kind, item in filters if kind.startswith(MANAGER))
    others = tuple(kind for kind, _ in filters if kind.startswith(("tcp_proxy", "redis_proxy", "mongo_proxy")))
    return Chain(chain.get("transport_socket") is not None, managers, others)
