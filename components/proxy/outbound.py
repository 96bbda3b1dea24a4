"""The outbound side: the application's only route to models and tools, on loopback, with one base path for each model group. A
group's failover (an aggregate of single servers, tried in the declared order) points at one internal listener for each
upstream, which the application cannot reach by itself. There the request gets the path, host, headers, signature and
verified TLS of *that* upstream. Signing before failover would send the first region's signature to the second
region."""

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

from components.proxy.common import (
    TCP_KEEPALIVE,
    UNAVAILABLE,
    USER,
    access_log,
    circuit_breakers,
    early_mutation,
    fixed_answer,
    framing_mutation,
    http1_upstream,
    json_answer,
    no_body_above,
    one_endpoint,
    overwrite_header,
    own_unavailable_answer,
    router,
    socket_address,
    undeclared_length_matches,
)
from components.proxy.credentials import credential_filters
from components.proxy.egress import tunnel_clusters, tunnel_listeners, tunnel_name
from components.proxy.model_calls import NEVER_SENT, TOKENS_IN_THE_LOG, UNCOMPRESSED, calls_filter
from components.proxy.settings import ProxyModelGroup, ProxySettings, ProxyUpstream
from components.proxy.tools import tool_routes

_RETRIED_STATUSES = [429, 500, 502, 503, 504]
_EJECTING_FAILURES = 5
_CONNECT_SECONDS = 3
_UPSTREAM_IDLE_SECONDS = 60
_TUNNEL_SECONDS = 600
"""After this time no further request is sent in a tunnel. The egress proxy ends it later (``components.egress.settings``)."""

_MORE_IN_THE_LOG = {
    "path": "%PATH(NQ):256%",
    "upstream": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    **TOKENS_IN_THE_LOG,
}
"""The paths of the application's requests contain no personal data, and are needed to diagnose undeclared paths. The
upstream is the one that responded: ``envoy://upstream-<name>/``."""


# If every upstream is ejected, the response is an immediate 503 instead of traffic to all of them ("panic"). Workers
# apply an ejection immediately, instead of after the second in which Envoy merges updates.
_NO_TRAFFIC_TO_THE_EJECTED = {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"}


def model_listeners(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return the application's listener on loopback and the internal listener of each upstream."""
    if not (settings.model_groups or settings.tools):
        return []
    manager = _connection_manager("models", settings, model_routes(settings, tool_routes(settings)), outer=True)
    return [
        {
            "name": "models",
            "address": socket_address("127.0.0.1", settings.model_port),
            # That limit is for the load balancer's connections. When it is reached, the application's requests still
            # need their models.
            "ignore_global_conn_limit": True,
            "per_connection_buffer_limit_bytes": 65_536,
            "filter_chains": [_filter_chain(manager)],
        },
        *(
            _upstream_listener(group, upstream, settings)
            for group in settings.model_groups
            for upstream in group.upstreams
        ),
        *tunnel_listeners(settings),
    ]


def model_clusters(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return each group's failover cluster, two clusters for each upstream (one as member of a failover, one for the
    server itself), and one for each search and tool server."""
    clusters: list[dict[str, Any]] = []
    for group in settings.model_groups:
        clusters.append(_failover_cluster(group, settings))
        for upstream in group.upstreams:
            clusters += [_member_cluster(upstream, settings), _server_cluster(upstream, settings)]
    clusters += [_server_cluster(tool.upstream, settings) for tool in settings.tools]
    return [*clusters, *tunnel_clusters(settings, _CONNECT_SECONDS)]


def model_routes(settings: ProxySettings, others: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return the routes of all groups and ``others`` with their limits, and 403 for all other paths."""
    limit = settings.limits.prompt_bytes
    routes = [
        json_answer("length-required", match, 411, "A body needs a Content-Length.")
        for match in undeclared_length_matches()
    ]
    routes.append(
        json_answer("prompt-too-large", no_body_above(limit, {"prefix": "/"}), 413, f"The limit is {limit} bytes.")
    )
    routes += others
    for group in settings.model_groups:
        base = f"/{group.name}/v1"
        routes.append(
            fixed_answer(
                f"{group.name}-models",
                {"path": f"{base}/models", "headers": [_method("GET|HEAD")]},
                200,
                _model_list(group),
                "application/json",
            )
        )
        for operation in group.operations:
            match = {"path": base + operation, "headers": [_method("POST")]}
            routes.append(
                {
                    "name": group.name,
                    "match": match,
                    # A retry needs the whole body; with the default buffer, long prompts could not be retried.
                    "request_body_buffer_limit": str(settings.limits.prompt_bytes),
                    "request_headers_to_add": [UNCOMPRESSED],
                    "route": _group_action(group, settings),
                }
            )
    elsewhere: list[dict[str, Any]] = [{"prefix": "/"}, {"connect_matcher": {}}]
    return [
        *routes,
        *(json_answer("undeclared", match, 403, "This model path is not declared.") for match in elsewhere),
    ]


def _group_action(group: ProxyModelGroup, settings: ProxySettings) -> dict[str, Any]:
    limits = settings.limits
    # Only silence that another upstream could end is cut short. With one upstream, the same call would be made twice.
    silence = {"per_try_idle_timeout": f"{limits.model_idle_seconds}s"} if len(group.upstreams) > 1 else {}
    return {
        "cluster": f"group-{group.name}",
        "timeout": f"{limits.model_deadline_seconds}s",
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
            "retriable_status_codes": _RETRIED_STATUSES,
            "num_retries": len(group.upstreams),
            **silence,
            "retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"},
            "retry_priority": {
                "name": "envoy.retry_priorities.previous_priorities",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                    "update_frequency": 1,
                },
            },
        },
    }


def _failover_cluster(group: ProxyModelGroup, settings: ProxySettings) -> dict[str, Any]:
    return {
        "name": f"group-{group.name}",
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "lb_policy": "CLUSTER_PROVIDED",
        "common_lb_config": _NO_TRAFFIC_TO_THE_EJECTED,
        "circuit_breakers": circuit_breakers(settings.limits.model_requests, settings.limits.model_retries),
        "cluster_type": {
            "name": "envoy.clusters.aggregate",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                "clusters": [f"upstream-{upstream.name}" for upstream in group.upstreams],
            },
        },
    }


def _member_cluster(upstream: ProxyUpstream, settings: ProxySettings) -> dict[str, Any]:
    # The name of its listener, too, which is then written once.
    name = f"upstream-{upstream.name}"
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "per_connection_buffer_limit_bytes": 65_536,
        "circuit_breakers": circuit_breakers(settings.limits.model_requests),
        "typed_extension_protocol_options": http1_upstream(settings.limits.keep_alive_seconds),
        "load_assignment": one_endpoint(
            name, {"envoy_internal_address": {"server_listener_name": f"upstream-{upstream.name}"}}
        ),
        "common_lb_config": _NO_TRAFFIC_TO_THE_EJECTED,
        "outlier_detection": {
            # A prompt may cause a 500. If it counted, repeating the prompt would make the model unavailable to all
            # users.
            "consecutive_gateway_failure": _EJECTING_FAILURES,
            "enforcing_consecutive_gateway_failure": 100,
            "enforcing_consecutive_5xx": 0,
            "interval": "1s",
            "base_ejection_time": f"{settings.limits.ejection_seconds}s",
            "max_ejection_time": f"{settings.limits.ejection_seconds * 6}s",
            "max_ejection_percent": 100,
            "enforcing_success_rate": 0,
        },
    }


def _server_cluster(upstream: ProxyUpstream, settings: ProxySettings) -> dict[str, Any]:
    name = f"server-{upstream.name}"
    authority = (
        {"inline_string": upstream.ca_certificate} if upstream.ca_certificate else {"filename": settings.ca_file}
    )
    return {
        "name": name,
        **_place(upstream, name),
        "per_connection_buffer_limit_bytes": 65_536,
        "circuit_breakers": circuit_breakers(settings.limits.model_requests),
        **({} if upstream.through_egress else TCP_KEEPALIVE),
        "typed_extension_protocol_options": http1_upstream(
            _UPSTREAM_IDLE_SECONDS,
            credential_filters(upstream),
            most_seconds=_TUNNEL_SECONDS if upstream.through_egress else 0,
        ),
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": upstream.host_name,
                "common_tls_context": {
                    "alpn_protocols": ["http/1.1"],
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    **_client_certificate(upstream),
                    "validation_context": {
                        "trusted_ca": authority,
                        "match_typed_subject_alt_names": [
                            {"san_type": "DNS", "matcher": {"exact": upstream.host_name}}
                        ],
                    },
                },
            },
        },
    }


def _client_certificate(upstream: ProxyUpstream) -> dict[str, Any]:
    """Envoy speaks at most TLS 1.2 to a server unless told otherwise, and shows the certificate in the clear there."""
    if not upstream.client_certificate_variable:
        return {}
    newest = {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"}
    certificate = {
        "certificate_chain": {"environment_variable": upstream.client_certificate_variable},
        "private_key": {"environment_variable": upstream.client_private_key_variable},
    }
    return {"tls_params": newest, "tls_certificates": [certificate]}


def _place(upstream: ProxyUpstream, cluster: str) -> dict[str, Any]:
    """Where the cluster connects to: the server itself, or the internal listener that opens a tunnel to it."""
    if upstream.through_egress:
        listener = tunnel_name(f"{upstream.host_name}:{upstream.port}")
        tunnel = {"envoy_internal_address": {"server_listener_name": listener}}
        # Two connections in a row: to the egress proxy, and from there to the server.
        seconds = 2 * _CONNECT_SECONDS
        return {"type": "STATIC", "connect_timeout": f"{seconds}s", "load_assignment": one_endpoint(cluster, tunnel)}
    address = upstream.address or upstream.host_name
    return {
        **_discovery(address),
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "load_assignment": one_endpoint(cluster, socket_address(address, upstream.port)),
    }


def _discovery(address: str) -> dict[str, Any]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return {"type": "STRICT_DNS", "dns_lookup_family": "V4_ONLY"}
    return {"type": "STATIC"}


def _upstream_listener(group: ProxyModelGroup, upstream: ProxyUpstream, settings: ProxySettings) -> dict[str, Any]:
    limits = settings.limits
    removed = ["cookie", *NEVER_SENT, *(name.lower() for name in settings.identity.trusted_headers)]
    if upstream.signing_region or not upstream.forward_authorization:
        removed.append("authorization")
    route: dict[str, Any] = {
        "name": f"upstream-{upstream.name}",
        "match": {"prefix": f"/{group.name}/v1"},
        # A signature covers the body, so the whole prompt is buffered until it is signed.
        "request_body_buffer_limit": str(limits.prompt_bytes),
        "request_headers_to_remove": sorted(removed),
        "request_headers_to_add": [overwrite_header(key, value) for key, value in upstream.headers],
        "route": {
            "cluster": f"server-{upstream.name}",
            "prefix_rewrite": upstream.path_prefix,
            "host_rewrite_literal": upstream.authority,
            "timeout": f"{limits.model_deadline_seconds}s",
        },
    }
    return {
        "name": f"upstream-{upstream.name}",
        "internal_listener": {},
        "per_connection_buffer_limit_bytes": 65_536,
        "filter_chains": [_filter_chain(_connection_manager(f"upstream-{upstream.name}", settings, [route]))],
    }


def _connection_manager(
    name: str, settings: ProxySettings, routes: list[dict[str, Any]], *, outer: bool = False
) -> dict[str, Any]:
    limits = settings.limits
    manager: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "HTTP1",
        "server_header_transformation": "PASS_THROUGH",
        # The idle limit applies to each attempt, so that the next upstream is tried.
        "stream_idle_timeout": f"{limits.model_deadline_seconds}s",
        # A truncated response is reported immediately instead of after a second.
        "delayed_close_timeout": "0.1s",
        "common_http_protocol_options": {"idle_timeout": f"{limits.keep_alive_seconds}s"},
        "local_reply_config": {"mappers": own_unavailable_answer(UNAVAILABLE, "application/json")},
        "http_filters": [router()],
        "route_config": {
            "name": name,
            **({"max_direct_response_body_size_bytes": 65_536} if outer else {}),
            "virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}],
        },
    }
    if outer:
        manager |= {
            "access_log": access_log(name, environment=settings.environment, **_MORE_IN_THE_LOG),
            "early_header_mutation_extensions": [
                early_mutation([{"remove": "x-request-id"}, {"remove": USER}, framing_mutation()])
            ],
            "http_filters": [calls_filter(), router()],
            "always_set_request_id_in_response": True,
            "normalize_path": True,
            "merge_slashes": True,
            "request_headers_timeout": f"{limits.request_headers_seconds}s",
            "request_timeout": f"{limits.request_body_seconds}s",
        }
    return manager


def _filter_chain(manager: dict[str, Any]) -> dict[str, Any]:
    return {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}


def _model_list(group: ProxyModelGroup) -> str:
    models = [{"id": model, "object": "model", "created": 0, "owned_by": group.name} for model in group.models]
    return json.dumps({"object": "list", "data": models}, separators=(",", ":"))


def _method(names: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"safe_regex": {"regex": names}}}
