"""The proxy in front of the application: generates the Envoy configuration from the settings.

``envoy_configuration`` is a pure function whose result is the whole configuration: the task, the tests and ``python -m
local`` run the same one with the same Envoy version. It contains no secret: the listener's certificate and key come
from environment variables, and the credentials for models from the task role.

The proxy deliberately does not verify the signature of the load balancer's token, because the private subnets cannot
fetch the keys. The policy pack proves on the network graph that only the load balancer can reach it, and only after a
login. The checks of signer, client, issuer and expiry detect a wrong configuration.
"""

from collections import Counter
from typing import Any

from components.proxy.inbound import application_cluster, inbound_listener
from components.proxy.outbound import model_clusters, model_listeners
from components.proxy.settings import (
    ProxyApplication,
    ProxyIdentity,
    ProxyLimits,
    ProxyLogout,
    ProxyModelGroup,
    ProxyPeople,
    ProxySettings,
    ProxyUpstream,
)
from components.proxy.text import configuration_text

__all__ = [
    "ProxyApplication",
    "ProxyIdentity",
    "ProxyLimits",
    "ProxyLogout",
    "ProxyModelGroup",
    "ProxyPeople",
    "ProxySettings",
    "ProxyUpstream",
    "envoy_arguments",
    "envoy_configuration",
]


_HEAP = "envoy.resource_monitors.fixed_heap"
_SHRINK_AT, _NO_MORE_REQUESTS_AT, _NO_MORE_BYTES_AT = 0.5, 0.65, 0.7
"""Thresholds as fractions of the container's memory. The rest is needed for data that arrives between two checks of the
heap (docs/measurements.md)."""


def envoy_configuration(settings: ProxySettings) -> dict[str, Any]:
    """Return Envoy's bootstrap configuration as JSON-compatible data. It is deterministic.

    Raises ``ValueError`` if two groups or two upstreams have the same name, because Envoy would not start.
    """
    listeners = [inbound_listener(settings), *model_listeners(settings)]
    clusters = [application_cluster(settings), *model_clusters(settings)]
    _named_once("listener", listeners)
    _named_once("cluster", clusters)
    return {
        "static_resources": {"listeners": listeners, "clusters": clusters},
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
                },
            }
        ],
        "overload_manager": _overload_manager(settings),
        # Without an admin interface, statistics are not used. Limits, ejection and the log do not need them.
        "stats_config": {"stats_matcher": {"reject_all": True}},
    }


def envoy_arguments(settings: ProxySettings) -> list[str]:
    """Return Envoy's arguments: the container's command, because the image's entry point is Envoy."""
    return [
        "--config-yaml",
        configuration_text(envoy_configuration(settings)),
        # Hot restart needs shared memory, which a read-only container does not have.
        "--disable-hot-restart",
        "--concurrency",
        str(settings.workers),
        "--log-level",
        "warning",
        # The access log is flushed to the log driver every second; the default is ten seconds.
        "--file-flush-interval-msec",
        "1000",
    ]


def _named_once(kind: str, parts: list[dict[str, Any]]) -> None:
    names = Counter(part["name"] for part in parts)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise ValueError(
            f"more than one {kind} in the proxy is named {', '.join(repeated)}: give each model group a unique name, and "
            "each upstream a name that no other upstream of any group has"
        )


def _overload_manager(settings: ProxySettings) -> dict[str, Any]:
    types = "type.googleapis.com/envoy.extensions.resource_monitors"
    return {
        "refresh_interval": "0.1s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{types}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": str(settings.limits.maximum_connections),
                },
            },
            {
                "name": _HEAP,
                "typed_config": {
                    "@type": f"{types}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": str(settings.memory_bytes),
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
