"""The Envoy in front of LiteLLM: it admits the interface's proxy, by its certificate, to the paths that its models serve, and limits requests.

LiteLLM has hundreds of routes, several of them without authentication. Here two exist at most: ``POST /v1/chat/completions``
and ``POST /v1/embeddings``, each only if a model serves it.
The key is added here, so the interface's task does not have it.
"""

from typing import Any

from components.gateway.litellm import KEY_VARIABLE
from components.gateway.settings import CLIENT_NAME, PORT, TRANSLATOR_PORT, Api, GatewaySettings
from components.proxy.common import (
    FRAMING_HEADER,
    REQUEST_ID_LENGTH,
    UNAVAILABLE,
    access_log,
    circuit_breakers,
    early_mutation,
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
from components.proxy.process import arguments, overload_manager

CERTIFICATE_VARIABLE, PRIVATE_KEY_VARIABLE = "GATEWAY_CERTIFICATE", "GATEWAY_PRIVATE_KEY"
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
_TRANSLATOR = "translator"
_KEEP_ALIVE_SECONDS = 4
"""Less than uvicorn's five seconds; otherwise a request could use a connection that is being closed."""
_TYPES = "type.googleapis.com/envoy.extensions"
_REMOVED_HEADERS = ("[bd-gi-sv-z].*", "a([^c]|c[^c]).*", "c([^o]|o[^n]).*", "h[^o].*", "t([^er]|ra[^n]).*", "u[^s].*")
"""All but accept, connection, content-length and the like, host, te, transfer-encoding, user-agent. Other headers have no
meaning for a model, and several change what LiteLLM does: tags, timeouts, retries, redaction. Envoy's expressions have no
negation."""
_KEPT_REQUEST_ID = "content-request-id"
"""Where the request id is while the names above are removed."""


def envoy_configuration(settings: GatewaySettings) -> dict[str, Any]:
    """Envoy's bootstrap configuration as JSON-compatible data. It is deterministic and contains no secret."""
    return {
        "static_resources": {"listeners": [_listener(settings)], "clusters": [_cluster(settings)]},
        "overload_manager": overload_manager(settings.maximum_connections, settings.proxy_memory_bytes),
        # Without an admin interface, statistics are not used.
        "stats_config": {"stats_matcher": {"reject_all": True}},
    }


def envoy_arguments(settings: GatewaySettings) -> list[str]:
    """Envoy's arguments: the container's command, because the image's entry point is Envoy."""
    return arguments(envoy_configuration(settings), workers=1)


def _cluster(settings: GatewaySettings) -> dict[str, Any]:
    options = http1_upstream(_KEEP_ALIVE_SECONDS)
    # An open connection is an answer in progress: drain.py waits for these. On loopback, another connection costs nothing.
    for one in options.values():
        one["common_http_protocol_options"]["max_requests_per_connection"] = 1
    return {
        "name": _TRANSLATOR,
        "type": "STATIC",
        "connect_timeout": "2s",
        "circuit_breakers": circuit_breakers(settings.model_requests),
        "typed_extension_protocol_options": options,
        "load_assignment": one_endpoint(_TRANSLATOR, socket_address("127.0.0.1", TRANSLATOR_PORT)),
    }


def _listener(settings: GatewaySettings) -> dict[str, Any]:
    return {
        "name": "gateway",
        "address": socket_address("0.0.0.0", PORT),  # noqa: S104 - the task's interface; its security group admits one other
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


def _tls(settings: GatewaySettings) -> dict[str, Any]:
    """TLS both ways: without a certificate of the interface's proxy there is no connection."""
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


def _manager(settings: GatewaySettings) -> dict[str, Any]:
    return {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "codec_type": "HTTP1",
        "access_log": access_log("gateway"),
        "server_header_transformation": "PASS_THROUGH",
        # The interface's proxy has set it; the logs of both tasks have the same one.
        "preserve_external_request_id": True,
        "normalize_path": True,
        "merge_slashes": True,
        "request_headers_timeout": f"{settings.request_headers_seconds}s",
        "request_timeout": f"{settings.request_body_seconds}s",
        # The interface's proxy ends a silent answer and tries the next upstream.
        "stream_idle_timeout": f"{settings.model_deadline_seconds}s",
        "delayed_close_timeout": "0.1s",
        "common_http_protocol_options": {
            "idle_timeout": f"{settings.keep_alive_seconds}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "early_header_mutation_extensions": [early_mutation([*_only_kept_headers(), framing_mutation()])],
        "local_reply_config": {"mappers": own_unavailable_answer(UNAVAILABLE, "application/json")},
        "http_filters": [_admission(), router()],
        "route_config": {
            "name": "gateway",
            "max_direct_response_body_size_bytes": 65_536,
            "request_headers_to_remove": [FRAMING_HEADER],
            "virtual_hosts": [{"name": "gateway", "domains": ["*"], "routes": _routes(settings)}],
        },
    }


def _only_kept_headers() -> list[dict[str, Any]]:
    return [
        {"append": overwrite_header(_KEPT_REQUEST_ID, f"%REQ(X-REQUEST-ID):{REQUEST_ID_LENGTH}%", formatted=True)},
        *({"remove_on_match": {"key_matcher": {"safe_regex": {"regex": names}}}} for names in _REMOVED_HEADERS),
        {"append": overwrite_header("x-request-id", f"%REQ({_KEPT_REQUEST_ID})%", formatted=True)},
        {"remove": _KEPT_REQUEST_ID},
    ]


def _admission() -> dict[str, Any]:
    """The caller's name again, from the certificate that TLS has verified, for each request."""
    named = {"authenticated": {"principal_name": {"exact": CLIENT_NAME}}}
    return {
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": f"{_TYPES}.filters.http.rbac.v3.RBAC",
            "rules": {
                "action": "ALLOW",
                "policies": {"interface": {"permissions": [{"any": True}], "principals": [named]}},
            },
        },
    }


def _routes(settings: GatewaySettings) -> list[dict[str, Any]]:
    limit, operations = settings.prompt_bytes, _operations(settings)
    return [
        *(
            json_answer("length-required", match, 411, "A body needs a Content-Length.")
            for match in undeclared_length_matches()
        ),
        json_answer("prompt-too-large", no_body_above(limit, {"prefix": "/"}), 413, f"The limit is {limit} bytes."),
        *(_operation(path, settings) for path in operations),
        json_answer(
            "unknown-path",
            {"prefix": "/"},
            404,
            f"The gateway has {' and '.join(f'POST {path}' for path in operations)} only.",
        ),
    ]


def _operations(settings: GatewaySettings) -> list[str]:
    """The paths that at least one model serves."""
    serve_embeddings = {model.api is Api.EMBEDDINGS for model in settings.models}
    return [path for path, embeddings in ((CHAT, False), (EMBEDDINGS, True)) if embeddings in serve_embeddings]


def _operation(path: str, settings: GatewaySettings) -> dict[str, Any]:
    return {
        "name": path.removeprefix("/v1/").replace("/", "-"),
        "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
        "request_headers_to_add": [
            overwrite_header("authorization", f"Bearer %ENVIRONMENT({KEY_VARIABLE})%", formatted=True)
        ],
        "route": {"cluster": _TRANSLATOR, "timeout": f"{settings.model_deadline_seconds}s"},
    }
