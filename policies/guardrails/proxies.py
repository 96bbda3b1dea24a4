"""What a proxy in a container enforces, read from its Envoy configuration where that is given as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .checks import Container, listed
from .topology.values import Value, as_list, as_mapping

_SECONDS = re.compile(r"^(\d+(?:\.\d+)?)s$")


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """The inbound limits of a proxy, in seconds and bytes; what is not stated is ``None``."""

    keep_alive: float | None = None
    stream: float | None = None
    body_bytes: float | None = None


def proxy_limits(container: Container) -> ProxyLimits:
    """The limits of the listeners that others than the task itself reach."""
    configuration = _configuration(container)
    if configuration is None:
        return ProxyLimits()
    inbound = [item for item in _listeners(configuration) if not _is_loopback(item)]
    nodes = [node for listener in inbound for node in _nodes(listener)]
    idle = [
        _seconds((as_mapping(node.get("common_http_protocol_options")) or {}).get("idle_timeout")) for node in nodes
    ]
    streams = [_seconds(node.get("max_stream_duration")) for node in nodes]
    bodies = [node.get("max_request_bytes") for node in nodes]
    known_streams = [value for value in streams if value]
    known_bodies = [float(value) for value in bodies if isinstance(value, int | float)]
    return ProxyLimits(
        keep_alive=min((value for value in idle if value is not None), default=None),
        stream=max(known_streams, default=None),
        body_bytes=max(known_bodies, default=None),
    )


def _configuration(container: Container) -> dict[str, Any] | None:
    environment = [(as_mapping(item) or {}).get("value") for item in listed(container.get("environment"))]
    for text in [*listed(container.get("command")), *environment]:
        if isinstance(text, str) and text.startswith("{") and '"static_resources"' in text:
            try:
                return as_mapping(json.loads(text))
            except ValueError:
                continue
    return None


def _listeners(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    static = as_mapping(configuration.get("static_resources")) or {}
    return [listener for item in listed(static.get("listeners")) if (listener := as_mapping(item)) is not None]


def _is_loopback(listener: dict[str, Any]) -> bool:
    address = as_mapping(listener.get("address")) or {}
    socket = as_mapping(address.get("socket_address")) or {}
    return str(socket.get("address")) in ("127.0.0.1", "::1")


def _nodes(value: Value) -> Iterator[dict[str, Any]]:
    """Every object inside a value."""
    mapping = as_mapping(value)
    if mapping is not None and {"max_stream_duration", "upgrade_configs"} <= set(mapping):
        return  # a route for WebSockets: a deployment closes them, and clients connect again
    if mapping is not None:
        yield mapping
        for item in mapping.values():
            yield from _nodes(item)
    for item in as_list(value) or []:
        yield from _nodes(item)


def _seconds(value: Value) -> float | None:
    match = _SECONDS.match(value) if isinstance(value, str) else None
    return float(match[1]) if match else None
