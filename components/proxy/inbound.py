"""The inbound side: TLS from the load balancer, limits, identity, and the route to the application.

Routes do most of the work, because they are cheap and do not buffer: a body whose declared length is too large or
missing is refused before any of it is read.
"""

import re
from typing import Any

from components.proxy.common import (
    FRAMING_HEADER,
    NO_STORE,
    UNAVAILABLE,
    USER,
    access_log,
    body_filter,
    circuit_breakers,
    fixed_answer,
    http1_upstream,
    json_answer,
    no_body,
    no_body_above,
    one_endpoint,
    overwrite_header,
    own_unavailable_answer,
    router,
    socket_address,
    undeclared_length_matches,
)
from components.proxy.identity import (
    EDGE_HEADERS,
    REFUSED,
    identity_filters,
    page,
    strip_client_headers,
    without_identity,
)
from components.proxy.model_calls import TOKENS_IN_THE_LOG, calls_filter, counted
from components.proxy.outbound import model_routes
from components.proxy.settings import ProxySettings

_APPLICATION = "application"
_ANY_PATH: dict[str, Any] = {"prefix": "/"}
# Some applications treat ``%2F`` or ``%5C`` as a slash. The proxy cannot know how they interpret such a path, so it
# gets the smaller limit, no upgrade and no caching, independent of its prefix.
_ESCAPED_SLASH: dict[str, Any] = {
    "safe_regex": {"regex": ".*%(2[Ff]|5[Cc]).*"},
    # Envoy evaluates headers before the expression, which few paths need.
    "headers": [{"name": ":path", "string_match": {"contains": "%"}}],
}
_NO_LENGTH = {"name": "content-length", "present_match": False}
_EDGE_COOKIE_SHARDS = ("", "-0", "-1", "-2", "-3")


def application_cluster(settings: ProxySettings) -> dict[str, Any]:
    """Return the application's cluster, which is on loopback only."""
    return {
        "name": _APPLICATION,
        "type": "STATIC",
        "connect_timeout": "2s",
        "circuit_breakers": circuit_breakers(settings.limits.maximum_connections),
        # Below the application's own timeout; otherwise a request could use a connection that is being closed.
        "typed_extension_protocol_options": http1_upstream(max(1, settings.application.keep_alive_seconds - 1)),
        "load_assignment": one_endpoint(_APPLICATION, socket_address("127.0.0.1", settings.application.port)),
    }


def inbound_listener(settings: ProxySettings) -> dict[str, Any]:
    """Return the listener for the load balancer."""
    return {
        "name": "inbound",
        "address": socket_address(settings.listen_address, settings.port),
        "per_connection_buffer_limit_bytes": 65_536,
        "filter_chains": [
            {
                "transport_socket": _downstream_tls(settings),
                # Closes connections on which the client does not complete the TLS handshake.
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
        "access_log": access_log(
            "inbound",
            environment=settings.environment,
            refused=REFUSED,
            **(TOKENS_IN_THE_LOG if settings.machine_host_names else {}),
        ),
        # Without use_remote_address, the load balancer's X-Forwarded-For and X-Forwarded-Proto are forwarded unchanged to the
        # application.
        # Set from the load balancer's trace id, see strip_client_headers.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "merge_slashes": True,
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
        "early_header_mutation_extensions": [strip_client_headers(settings)],
        "http_filters": [
            *identity_filters(settings),
            body_filter(),
            *([calls_filter(disabled=True)] if settings.machine_host_names else []),
            router(),
        ],
        "local_reply_config": {"mappers": _own_answers(settings)},
        "route_config": {
            "name": "inbound",
            "max_direct_response_body_size_bytes": 65_536,
            "request_headers_to_remove": [*EDGE_HEADERS, FRAMING_HEADER],
            "virtual_hosts": _virtual_hosts(settings),
        },
    }


def _own_answers(settings: ProxySettings) -> list[dict[str, Any]]:
    people = own_unavailable_answer("The application does not answer. Try again in a moment.\n", "text/plain")
    if not settings.machine_host_names:
        return people
    names = "|".join(re.escape(domain) for domain in _domains(settings.machine_host_names))
    host = {"header_filter": {"header": {"name": ":authority", "string_match": {"safe_regex": {"regex": names}}}}}
    return [*own_unavailable_answer(UNAVAILABLE, "application/json", host), *people]


def _virtual_hosts(settings: ProxySettings) -> list[dict[str, Any]]:
    hosts: list[dict[str, Any]] = [
        {
            "name": "interface",
            "domains": _domains(settings.host_names),
            "routes": _interface_routes(settings),
            **_caller(settings),
        }
    ]
    if settings.machine_host_names:
        hosts.append(
            {
                "name": "machines",
                "domains": _domains(settings.machine_host_names),
                "typed_per_filter_config": {**without_identity(), **counted()},
                "routes": _machine_routes(settings),
            }
        )
    hosts.append(
        {
            "name": "other",
            "domains": ["*"],
            "typed_per_filter_config": without_identity(),
            "routes": _other_routes(settings),
        }
    )
    return hosts


def _caller(settings: ProxySettings) -> dict[str, Any]:
    """User and request, in the header that the application forwards with its model calls."""
    if not settings.application.caller_header:
        return {}
    value = f"%REQ({USER.upper()})% %REQ(X-REQUEST-ID)%"
    return {"request_headers_to_add": [overwrite_header(settings.application.caller_header, value, formatted=True)]}


def _interface_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    return [_logout_route(settings), *_length_required(), *_without_a_length(settings), *_with_a_length(settings)]


def _without_a_length(settings: ProxySettings) -> list[dict[str, Any]]:
    """Routes for requests without a body. A filter enforces that, because a route can match only headers.

    A client can list Content-Length or Transfer-Encoding in ``Connection``. Envoy then removes the header before route
    matching, and would forward a body of any length.
    """
    application = settings.application
    routes = [_bodiless("request", _ESCAPED_SLASH, settings)]
    for prefix in application.websocket_path_prefixes:
        # Envoy keeps this token only if it treats the request as an upgrade, and then removes no header.
        upgrade = {"name": "connection", "string_match": {"contains": "upgrade", "ignore_case": True}}
        route = _route("websocket", {"prefix": prefix, "headers": [_NO_LENGTH, upgrade]}, settings)
        route["route"]["upgrade_configs"] = [{"upgrade_type": "websocket"}]
        route["route"]["max_stream_duration"] = {"max_stream_duration": f"{settings.limits.websocket_seconds}s"}
        routes.append(route)
    for prefix in application.cacheable_path_prefixes:
        route = _bodiless("static", {"prefix": prefix}, settings)
        del route["response_headers_to_add"]
        routes.append(route)
    return [*routes, _bodiless("request", _ANY_PATH, settings)]


def _with_a_length(settings: ProxySettings) -> list[dict[str, Any]]:
    limits = settings.limits
    routes = _limited("request", _ESCAPED_SLASH, limits.prompt_bytes, settings)
    for prefix in settings.application.upload_path_prefixes:
        routes += _limited("upload", {"prefix": prefix}, limits.upload_bytes, settings)
    return [*routes, *_limited("request", _ANY_PATH, limits.prompt_bytes, settings)]


def _bodiless(name: str, path: dict[str, Any], settings: ProxySettings) -> dict[str, Any]:
    match = {**path, "headers": [_NO_LENGTH, *path.get("headers", ())]}
    return {**_route(name, match, settings), "typed_per_filter_config": no_body()}


def _limited(name: str, path: dict[str, Any], limit: int, settings: ProxySettings) -> list[dict[str, Any]]:
    return [_too_large(name, path, limit), _route(name, path, settings)]


def _length_required() -> list[dict[str, Any]]:
    return [
        fixed_answer("length-required", match, 411, "A body needs a Content-Length.\n")
        for match in undeclared_length_matches()
    ]


def _too_large(name: str, path: dict[str, Any], limit: int) -> dict[str, Any]:
    return fixed_answer(f"{name}-too-large", no_body_above(limit, path), 413, f"The limit is {limit} bytes.\n")


def _route(name: str, path: dict[str, Any], settings: ProxySettings) -> dict[str, Any]:
    return {
        "name": name,
        "match": path,
        "route": {
            "cluster": _APPLICATION,
            # The default of 15 seconds would interrupt a streamed response; its duration has a separate limit.
            "timeout": "0s",
            "max_stream_duration": {"max_stream_duration": f"{settings.limits.stream_seconds}s"},
        },
        "response_headers_to_add": [NO_STORE],
    }


def _logout_route(settings: ProxySettings) -> dict[str, Any]:
    """End the session at the edge and in the application, then redirect to the identity provider's logout."""
    logout = settings.logout
    match = {"path": logout.path}
    title, html = "You are signed out", "text/html; charset=utf-8"
    if logout.redirect_url:
        route = fixed_answer("logout", match, 302, page(title, "Redirecting to the identity provider."), html)
        route["response_headers_to_add"].append(overwrite_header("location", logout.redirect_url))
    else:
        text = "Your session here has ended. You may still be signed in at the identity provider."
        route = fixed_answer("logout", match, 200, page(title, text), html)
    cookies = [logout.edge_cookie_name + shard for shard in _EDGE_COOKIE_SHARDS]
    # Headers are appended by default: one Set-Cookie for each cookie.
    route["response_headers_to_add"] += [
        {"header": {"key": "set-cookie", "value": f"{name}=; Max-Age=0; Path=/; Secure; HttpOnly"}}
        for name in (*cookies, *settings.application.session_cookie_names)
    ]
    route["response_headers_to_add"].append(NO_STORE)
    # Some applications keep their token in the origin's storage.
    route["response_headers_to_add"].append(overwrite_header("clear-site-data", '"storage"'))
    route["typed_per_filter_config"] = without_identity()
    return route


def _machine_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    """Machine clients can reach only the model paths; the load balancer has validated their token for this host
    name."""
    without_token = {"prefix": "/", "headers": [{"name": "authorization", "present_match": False}]}
    unauthorized = json_answer("machine-unauthorized", without_token, 401, "A request needs a token.")
    unauthorized["response_headers_to_add"].append(overwrite_header("www-authenticate", "Bearer"))
    return [unauthorized, *model_routes(settings)]


def _other_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    """The load balancer's health checks use the task's address as host name; other requests for that host get a 404."""
    without_body = [{"name": name, "present_match": False} for name in ("content-length", FRAMING_HEADER)]
    headers = [{"name": ":method", "string_match": {"exact": "GET"}}, *without_body]
    match = {"path": settings.application.health_path, "headers": headers}
    return [
        {
            "name": "health",
            "match": match,
            "route": {"cluster": _APPLICATION, "timeout": "5s"},
            "typed_per_filter_config": no_body(),
        },
        fixed_answer("unknown-host", {"prefix": "/"}, 404, "Not found.\n"),
    ]


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
