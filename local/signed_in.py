"""A stand-in for the load balancer: accepts plain HTTP, adds one user's claims, and forwards to the proxy over TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.claims import HEADER, token
from local.envoy import plain_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.proxy import ProxySettings


def edge_arguments(settings: ProxySettings, people: Mapping[int, Mapping[str, Any]], expires_at: int) -> list[str]:
    """Return the arguments of an Envoy that signs in one user on each port."""
    configuration = {
        "static_resources": {
            "listeners": [_listener(settings, port, claims, expires_at) for port, claims in people.items()],
            "clusters": [_cluster(settings)],
        }
    }
    return plain_arguments(configuration)


def _listener(settings: ProxySettings, port: int, claims: Mapping[str, Any], expires_at: int) -> dict[str, Any]:
    headers = {HEADER: token(settings.identity, claims, exp=expires_at), "x-forwarded-proto": "https"}
    manager: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "HTTP1",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
        "route_config": {
            "request_headers_to_add": [
                {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                for key, value in headers.items()
            ],
            "virtual_hosts": [
                {
                    "name": "edge",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {
                                "cluster": "proxy",
                                "timeout": "0s",
                                "host_rewrite_literal": settings.host_names[0],
                            },
                        }
                    ],
                }
            ],
        },
    }
    return {
        "name": f"edge-{port}",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _cluster(settings: ProxySettings) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": settings.port}}
    return {
        "name": "proxy",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "proxy",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        # Like a load balancer: TLS, with no certificate checked.
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
            },
        },
    }
