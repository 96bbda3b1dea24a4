"""The Envoy process: its arguments, and what it does when memory or connections run low. It is the same for every Envoy of
this project."""

from typing import Any

from components.proxy.text import configuration_text

_HEAP = "envoy.resource_monitors.fixed_heap"
_SHRINK_AT, _NO_MORE_REQUESTS_AT, _NO_MORE_BYTES_AT = 0.5, 0.65, 0.7
"""Thresholds as fractions of the container's memory. The rest is needed for data that arrives between two checks of the
heap (docs/measurements.md)."""


def arguments(configuration: dict[str, Any], workers: int) -> list[str]:
    """Return Envoy's arguments: the container's command, because the image's entry point is Envoy."""
    return [
        "--config-yaml",
        configuration_text(configuration),
        # Hot restart needs shared memory, which a read-only container does not have.
        "--disable-hot-restart",
        "--concurrency",
        str(workers),
        "--log-level",
        "warning",
        # The access log is flushed to the log driver every second; the default is ten seconds.
        "--file-flush-interval-msec",
        "1000",
    ]


def overload_manager(maximum_connections: int, memory_bytes: int) -> dict[str, Any]:
    """Return the limits of the process: connections, and memory in bytes."""
    types = "type.googleapis.com/envoy.extensions.resource_monitors"
    return {
        "refresh_interval": "0.1s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{types}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": str(maximum_connections),
                },
            },
            {
                "name": _HEAP,
                "typed_config": {
                    "@type": f"{types}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": str(memory_bytes),
                },
            },
        ],
        "actions": [
            _from("envoy.overload_actions.shrink_heap", _SHRINK_AT),
            _from("envoy.overload_actions.stop_accepting_requests", _NO_MORE_REQUESTS_AT),
        ],
        # Bodies of requests that were accepted earlier continue to arrive: these requests also get a 503.
        "loadshed_points": [_from("envoy.load_shed_points.http1_server_abort_dispatch", _NO_MORE_BYTES_AT)],
    }


def _from(name: str, share: float) -> dict[str, Any]:
    return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}
