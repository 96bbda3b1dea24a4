"""The inbound side: TLS from the load balancer, limits, and the way to the application."""

from typing import Any

from components.proxy_settings import ProxySettings

_APPLICATION = "application"
_BODY_METHODS = "POST|PUT|PATCH|DELETE"


def application_cluster(settings: ProxySettings) -> dict[str, Any]:
    """Return the cluster of the application, reached on loopback only."""
    application, limits = settings.application, settings.limits
    return {
        "name": _APPLICATION,
        "type": "STATIC",
        "connect_timeout": "2s",
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": limits.maximum_connections,
                    "max_pending_requests": limits.maximum_connections,
                    "max_requests": limits.maximum_connections,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {}},
                # Below the application's own, or a request meets a connection that is just being closed.
                "common_http_protocol_options": {"idle_timeout": f"{max(1, application.keep_alive_seconds - 1)}s"},
            }
        },
        "load_assignment": {
            "cluster_name": _APPLICATION,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket("127.0.0.1", application.port)}}]}],
        },
    }


def inbound_listener(settings: ProxySettings) -> dict[str, Any]:
    """Return the listener for the load balancer."""
    return {
        "name": "inbound",
        "address": _socket(settings.listen_address, settings.port),
        "per_connection_buffer_limit_bytes": 65_536,
        "filter_chains": [
            {
                "transport_socket": _downstream_tls(settings),
                "transport_socket_connect_timeout": f"{settings.limits.request_headers_seconds}s",
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _connection_manager(settings),
                    }
                ],
            }
        ],
    }


def _connection_manager(settings: ProxySettings) -> dict[str, Any]:
    limits = settings.limits
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "codec_type": "HTTP1",
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        "skip_xff_append": True,
        "normalize_path": True,
        "merge_slashes": True,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "max_request_headers_kb": max(1, limits.header_bytes // 1024),
        "request_headers_timeout": f"{limits.request_headers_seconds}s",
        "request_timeout": f"{limits.request_body_seconds}s",
        "stream_idle_timeout": f"{limits.idle_seconds}s",
        "delayed_close_timeout": "1s",
        "common_http_protocol_options": {
            "idle_timeout": f"{limits.keep_alive_seconds}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}],
        "early_header_mutation_extensions": [_strip_trusted_headers(settings)],
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            }
        ],
        "route_config": {
            "name": "inbound",
            "virtual_hosts": [
                {"name": "interface", "domains": _domains(settings.host_names), "routes": _interface_routes(settings)},
                {"name": "other", "domains": ["*"], "routes": _other_routes(settings)},
            ],
        },
    }


def _interface_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    application, limits = settings.application, settings.limits
    routes: list[dict[str, Any]] = []
    for prefix in application.upload_path_prefixes:
        routes += _body_limit_routes("upload", prefix, limits.upload_bytes)
        routes.append(_application_route("upload", prefix, settings))
    routes += _body_limit_routes("request", "/", limits.prompt_bytes)
    for prefix in application.websocket_path_prefixes:
        route = _application_route("websocket", prefix, settings)
        route["route"]["upgrade_configs"] = [{"upgrade_type": "websocket", "enabled": True}]
        route["route"]["max_stream_duration"] = {"max_stream_duration": f"{limits.websocket_seconds}s"}
        routes.append(route)
    return [*routes, _application_route("request", "/", settings)]


def _body_limit_routes(name: str, prefix: str, limit: int) -> list[dict[str, Any]]:
    """Answer 413 to a declared length above the limit and 411 to a body without one, before any body is read."""
    return [
        {
            "name": f"{name}-too-large",
            "match": {
                "prefix": prefix,
                "headers": [
                    {"name": "content-length", "range_match": {"start": str(limit + 1), "end": str(2**63 - 1)}},
                ],
            },
            "direct_response": {"status": 413, "body": {"inline_string": f"The limit is {limit} bytes.\n"}},
        },
        {
            "name": f"{name}-length-required",
            "match": {
                "prefix": prefix,
                "headers": [
                    {"name": ":method", "string_match": {"safe_regex": {"regex": _BODY_METHODS}}},
                    {"name": "content-length", "present_match": False},
                ],
            },
            "direct_response": {"status": 411, "body": {"inline_string": "Content-Length is required.\n"}},
        },
    ]


def _application_route(name: str, prefix: str, settings: ProxySettings) -> dict[str, Any]:
    return {
        "name": name,
        "match": {"prefix": prefix},
        "route": {
            "cluster": _APPLICATION,
            "timeout": "0s",
            "max_stream_duration": {"max_stream_duration": f"{settings.limits.stream_seconds}s"},
        },
    }


def _other_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    """The load balancer's health checks name the task's address as host; nothing else is answered there."""
    return [
        {
            "name": "health",
            "match": {
                "path": settings.application.health_path,
                "headers": [{"name": ":method", "string_match": {"exact": "GET"}}],
            },
            "route": {"cluster": _APPLICATION, "timeout": "5s"},
        },
        {"name": "unknown-host", "match": {"prefix": "/"}, "direct_response": {"status": 404}},
    ]


def _strip_trusted_headers(settings: ProxySettings) -> dict[str, Any]:
    names = "|".join(name.replace("-", "[-_.]") for name in settings.identity.trusted_headers)
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [{"remove_on_match": {"key_matcher": {"safe_regex": {"regex": f"(?i)({names})"}}}}],
        },
    }


def _downstream_tls(settings: ProxySettings) -> dict[str, Any]:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [
                    {
                        "certificate_chain": {"environment_variable": settings.certificate_variable},
                        "private_key": {"environment_variable": settings.private_key_variable},
                    }
                ],
            },
        },
    }


def _domains(host_names: tuple[str, ...]) -> list[str]:
    return [domain for name in host_names for domain in (name, f"{name}:443")]


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
