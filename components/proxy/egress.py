"""Tunnels (HTTP CONNECT) through the egress proxy to model servers on the internet.

Each server has an internal listener that opens a tunnel to it. TLS to the server is inside the tunnel, so the egress proxy
sees the server's name, and neither the prompt nor the API key.
"""

from typing import Any

from components.proxy.common import TCP_KEEPALIVE, circuit_breakers, http1_upstream, one_endpoint, socket_address
from components.proxy.settings import ProxyEgress, ProxySettings

_CLUSTER = "egress"
_TYPES = "type.googleapis.com/envoy.extensions"
_ATTEMPTS = 2
"""A tunnel that one task of the egress proxy does not accept is tried at another. A request is sent only after that."""


def tunnel_name(authority: str) -> str:
    """The internal listener of a server, named by its host and port."""
    return f"tunnel-{authority}"


def authorities(settings: ProxySettings) -> list[str]:
    """Host and port of every server that is reached through the egress proxy, sorted."""
    return sorted(
        {
            f"{upstream.host_name}:{upstream.port}"
            for group in settings.model_groups
            for upstream in group.upstreams
            if upstream.through_egress
        }
    )


def tunnel_listeners(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return one internal listener for each server on the internet; none without one."""
    return [
        {
            "name": tunnel_name(authority),
            "internal_listener": {},
            "per_connection_buffer_limit_bytes": 65_536,
            "filter_chains": [
                {"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": _tunnel(authority, settings)}]}
            ],
        }
        for authority in authorities(settings)
    ]


def _tunnel(authority: str, settings: ProxySettings) -> dict[str, Any]:
    return {
        "@type": f"{_TYPES}.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "egress",
        "cluster": _CLUSTER,
        "max_connect_attempts": _ATTEMPTS,
        "idle_timeout": f"{settings.limits.keep_alive_seconds}s",
        "tunneling_config": {"hostname": authority},
    }


def tunnel_clusters(settings: ProxySettings, connect_seconds: int) -> list[dict[str, Any]]:
    """Return the cluster of the egress proxy's tasks; none without a server on the internet. Raises ``ValueError`` if there is
    such a server, but no egress proxy."""
    if not authorities(settings):
        return []
    egress = settings.egress
    if egress is None:
        raise ValueError("an upstream is reached through the egress proxy, which is not set: set egress")
    return [
        {
            "name": _CLUSTER,
            "type": "STRICT_DNS",
            "dns_lookup_family": "V4_ONLY",
            "connect_timeout": f"{connect_seconds}s",
            "per_connection_buffer_limit_bytes": 65_536,
            "circuit_breakers": circuit_breakers(settings.limits.model_requests),
            **TCP_KEEPALIVE,
            "typed_extension_protocol_options": http1_upstream(settings.limits.keep_alive_seconds),
            "load_assignment": one_endpoint(_CLUSTER, socket_address(egress.address or egress.host_name, egress.port)),
            "transport_socket": _tls(egress),
        }
    ]


def _tls(egress: ProxyEgress) -> dict[str, Any]:
    """TLS both ways, so that the application, which is in the same task, cannot open a tunnel."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPES}.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": egress.host_name,
            "common_tls_context": {
                "alpn_protocols": ["http/1.1"],
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_3",
                    "tls_maximum_protocol_version": "TLSv1_3",
                },
                "tls_certificates": [
                    {
                        "certificate_chain": {"environment_variable": egress.client_certificate_variable},
                        "private_key": {"environment_variable": egress.client_private_key_variable},
                    }
                ],
                "validation_context": {
                    "trusted_ca": {"inline_string": egress.ca_certificate},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": egress.host_name}}],
                },
            },
        },
    }
