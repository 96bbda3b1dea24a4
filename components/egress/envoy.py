"""The Envoy of the egress proxy: it opens tunnels (HTTP CONNECT) for the interface's proxy to the declared hosts, and does
nothing else.

TLS between the interface's proxy and the provider is inside the tunnel, so neither prompts nor keys can be read here.
"""

from typing import Any

from components.egress.settings import CLIENT_NAME, EgressSettings
from components.proxy.common import (
    TCP_KEEPALIVE,
    UNAVAILABLE,
    access_log,
    circuit_breakers,
    fixed_answer,
    own_unavailable_answer,
    router,
    socket_address,
)
from components.proxy.process import arguments, overload_manager

CERTIFICATE_VARIABLE, PRIVATE_KEY_VARIABLE = "EGRESS_CERTIFICATE", "EGRESS_PRIVATE_KEY"
TUNNEL, UNDECLARED, NOT_A_TUNNEL = "tunnel", "undeclared", "not-a-tunnel"
"""Names of the routes in the log. ``UNDECLARED`` is what the alarm on refused destinations counts."""
_DESTINATION = "destination"
_ADDRESSES = "envoy.filters.http.rbac"
_ALL = "0.0.0.0/0"
_TYPES = "type.googleapis.com/envoy.extensions"
_MORE_IN_THE_LOG = {"authority": "%REQ(:AUTHORITY):256%", "upstream": "%UPSTREAM_REMOTE_ADDRESS%"}
"""The destination as requested, and the address to which the tunnel leads."""


def envoy_configuration(settings: EgressSettings) -> dict[str, Any]:
    """Envoy's bootstrap configuration as JSON-compatible data. It is deterministic and contains no secret."""
    return {
        "static_resources": {"listeners": [_listener(settings)], "clusters": [_cluster(settings)]},
        "overload_manager": overload_manager(settings.maximum_tunnels, settings.memory_bytes),
        # Without an admin interface, statistics are not used.
        "stats_config": {"stats_matcher": {"reject_all": True}},
    }


def envoy_arguments(settings: EgressSettings) -> list[str]:
    """Envoy's arguments: the container's command, because the image's entry point is Envoy."""
    return arguments(envoy_configuration(settings), workers=1)


def _listener(settings: EgressSettings) -> dict[str, Any]:
    return {
        "name": "egress",
        "address": socket_address(settings.listen_address, settings.port),
        "per_connection_buffer_limit_bytes": 65_536,
        "filter_chains": [
            {
                "transport_socket": _tls(settings),
                "transport_socket_connect_timeout": f"{settings.request_headers_seconds}s",
                "filters": [
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(settings)}
                ],
            }
        ],
    }


def _tls(settings: EgressSettings) -> dict[str, Any]:
    """TLS both ways. The application is in the same task and security group as the interface's proxy, but it does not have
    the proxy's certificate, so it cannot open a tunnel."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": True,
            "common_tls_context": {
                "alpn_protocols": ["http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
                "tls_certificates": [
                    {
                        "certificate_chain": {"environment_variable": CERTIFICATE_VARIABLE},
                        "private_key": {"environment_variable": PRIVATE_KEY_VARIABLE},
                    }
                ],
                "validation_context": {
                    "trusted_ca": {"inline_string": settings.authority},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": CLIENT_NAME}}],
                },
            },
        },
    }


def _manager(settings: EgressSettings) -> dict[str, Any]:
    return {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "egress",
        "codec_type": "HTTP1",
        "access_log": access_log("egress", environment=settings.environment, **_MORE_IN_THE_LOG),
        "request_headers_timeout": f"{settings.request_headers_seconds}s",
        "stream_idle_timeout": f"{settings.idle_seconds}s",
        "delayed_close_timeout": "0.1s",
        "common_http_protocol_options": {
            "idle_timeout": f"{settings.idle_seconds}s",
            "max_stream_duration": f"{settings.tunnel_seconds}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "upgrade_configs": [{"upgrade_type": "CONNECT"}],
        "local_reply_config": {"mappers": own_unavailable_answer(UNAVAILABLE, "application/json")},
        "http_filters": [_resolution(settings), _public_addresses(settings), router()],
        "route_config": {
            "name": "egress",
            "virtual_hosts": [
                # A domain of a virtual host without an asterisk matches the whole authority, including the port.
                {"name": "declared", "domains": sorted(settings.authorities), "routes": [_tunnel(), *_refusals()]},
                {"name": "others", "domains": ["*"], "routes": _refusals()},
            ],
        },
    }


def _tunnel() -> dict[str, Any]:
    return {
        "name": TUNNEL,
        "match": {"connect_matcher": {}},
        "route": {
            "cluster": _DESTINATION,
            "timeout": "0s",
            "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}],
        },
    }


def _refusals() -> list[dict[str, Any]]:
    """These have no destination, so there is no address to check."""
    unchecked = {_ADDRESSES: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}}
    answers = (
        fixed_answer(UNDECLARED, {"connect_matcher": {}}, 403, "This destination is not declared."),
        fixed_answer(NOT_A_TUNNEL, {"prefix": "/"}, 405, "Only CONNECT is accepted."),
    )
    return [{**one, "typed_per_filter_config": unchecked} for one in answers]


def _resolution(settings: EgressSettings) -> dict[str, Any]:
    """Resolves the authority of a tunnel, and saves the address for the filter after it."""
    return {
        "name": "envoy.filters.http.dynamic_forward_proxy",
        "typed_config": {
            "@type": f"{_TYPES}.filters.http.dynamic_forward_proxy.v3.FilterConfig",
            "dns_cache_config": _names(settings),
            "save_upstream_address": True,
        },
    }


def _public_addresses(settings: EgressSettings) -> dict[str, Any]:
    """Refuses a destination whose name resolves to an address that is not public, such as one of the VPC. Without an address
    no rule matches, so the destination is refused too."""
    refused = {"or_rules": {"rules": [_within(network) for network in settings.refused_networks]}}
    public = {"and_rules": {"rules": [_within(_ALL), {"not_rule": refused}]}}
    return {
        "name": _ADDRESSES,
        "typed_config": {
            "@type": f"{_TYPES}.filters.http.rbac.v3.RBAC",
            "rules": {
                "action": "ALLOW",
                "policies": {"public": {"permissions": [public], "principals": [{"any": True}]}},
            },
        },
    }


def _within(network: str) -> dict[str, Any]:
    address, _, length = network.partition("/")
    return {
        "matcher": {
            "name": "envoy.rbac.matchers.upstream_ip_port",
            "typed_config": {
                "@type": f"{_TYPES}.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher",
                "upstream_ip": {"address_prefix": address, "prefix_len": int(length)},
            },
        }
    }


def _cluster(settings: EgressSettings) -> dict[str, Any]:
    return {
        "name": _DESTINATION,
        "connect_timeout": f"{settings.connect_seconds}s",
        "lb_policy": "CLUSTER_PROVIDED",
        "per_connection_buffer_limit_bytes": 65_536,
        # Each tunnel has one connection on either side; the overload manager limits those of the interface's proxies.
        "circuit_breakers": circuit_breakers(settings.maximum_tunnels),
        **TCP_KEEPALIVE,
        "cluster_type": {
            "name": "envoy.clusters.dynamic_forward_proxy",
            "typed_config": {
                "@type": f"{_TYPES}.clusters.dynamic_forward_proxy.v3.ClusterConfig",
                "dns_cache_config": _names(settings),
            },
        },
    }


def _names(settings: EgressSettings) -> dict[str, Any]:
    """The cache of addresses, the same in the filter and in the cluster. It has room for the declared names only."""
    options = {"no_default_search_domain": True}
    given = [socket_address(address, port) for address, port in settings.resolvers]
    return {
        "name": "destinations",
        "dns_lookup_family": "V4_ONLY",
        "max_hosts": len(settings.authorities),
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": f"{_TYPES}.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "dns_resolver_options": options,
                **({"resolvers": given} if given else {}),
            },
        },
    }
