"""Code that both sides of the proxy share: addresses, access log, HTTP options, fixed responses."""

import json
from typing import Any

REQUEST_ID_LENGTH = 40
"""The load balancer's part of X-Amzn-Trace-Id: ``Root=`` or ``Self=`` comes first, and content from the client follows
it."""

CALLER = "x-request-by"
"""The header with which the application forwards user id and request id with a model call: ``3f2a… Root=1-…``."""
USER = "x-request-user"
"""The header with the user's id: a keyed hash of the e-mail address (``files/user_id.lua``). Clients' copies are removed with the
prefix ``x-request-``."""

TCP_KEEPALIVE = {
    "upstream_connection_options": {
        "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 30, "keepalive_probes": 5}
    }
}
"""Part of a cluster: probes after a minute of silence. An interface endpoint, a NAT gateway and a Network Load Balancer forget a
TCP connection that is silent for 350 seconds (AWS, "Implementing long-running TCP Connections within VPC networking"), so a
model that thinks for longer would never be heard."""

_ACCESS_LOG_FIELDS = {
    "time": "%START_TIME%",
    "request_id": f"%REQ(X-REQUEST-ID):{REQUEST_ID_LENGTH}%",
    "connection": "%CONNECTION_ID%",
    "user": f"%REQ({USER.upper()}):16%",
    "method": "%REQ(:METHOD):16%",
    "route": "%ROUTE_NAME%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "detail": "%RESPONSE_CODE_DETAILS%",
    "request_bytes": "%BYTES_RECEIVED%",
    "response_bytes": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
}
"""Contains no path, query, client header, cookie, token, body or identity. The route's name replaces the path, and the user is a
keyed hash. A request whose headers could not be read has no id: the connection and its time are what is known of it."""


def access_log(side: str, **more: str) -> list[dict[str, Any]]:
    """Return the access log: one JSON line for each request on standard output."""
    return [
        {
            "name": "envoy.access_loggers.stdout",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                "log_format": {"json_format": {"side": side, **_ACCESS_LOG_FIELDS, **more}},
            },
        }
    ]


def socket_address(address: str, port: int) -> dict[str, Any]:
    """Return a TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def one_endpoint(cluster: str, address: dict[str, Any]) -> dict[str, Any]:
    """Return a load assignment of one server."""
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


def circuit_breakers(maximum: int, retries: int = 0) -> dict[str, Any]:
    """Return limits on concurrent requests to a cluster. A request above the limit is refused immediately instead of
    queued.

    If the connection limit were equal to the request limit, a request could wait for a connection, so it is twice as
    high.
    """
    return {
        "thresholds": [
            {
                "max_connections": 2 * maximum,
                "max_pending_requests": maximum,
                "max_requests": maximum,
                "max_retries": retries,
            }
        ]
    }


def http1_upstream(
    idle_seconds: int, filters: list[dict[str, Any]] | None = None, most_seconds: int = 0
) -> dict[str, Any]:
    """Return a cluster's options for HTTP/1.1, with filters that process the request as it is sent. After ``most_seconds`` a
    connection gets no further request; 0: no limit."""
    options: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": f"{idle_seconds}s"},
    }
    if most_seconds:
        options["common_http_protocol_options"]["max_connection_duration"] = f"{most_seconds}s"
    if filters:
        options["http_filters"] = filters
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}


def router() -> dict[str, Any]:
    """Return the last HTTP filter, without headers that reveal Envoy."""
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
            # These statistics are not used, and they cost 4 percent of a request.
            "dynamic_stats": False,
        },
    }


def overwrite_header(key: str, value: str, *, formatted: bool = False) -> dict[str, Any]:
    """Return a header mutation that overwrites any existing header of that name. ``%`` is escaped unless ``formatted``
    is true."""
    text = value if formatted else value.replace("%", "%%")
    return {"header": {"key": key, "value": text}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


NO_STORE = overwrite_header("cache-control", "no-store")


def fixed_answer(name: str, match: dict[str, Any], status: int, body: str, content_type: str = "") -> dict[str, Any]:
    """Return a route with a direct response from Envoy, which does not read a body. The default content type is plain
    text."""
    route: dict[str, Any] = {
        "name": name,
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": body}},
    }
    if content_type:
        route["response_headers_to_add"] = [overwrite_header("content-type", content_type)]
    return route


def own_unavailable_answer(body: str, content_type: str, only: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return local replies that replace Envoy's text for 502 to 504, which reveals addresses. If memory is low, Envoy
    returns 500, which would indicate a problem with the request."""
    text = {"body_format_override": {"text_format_source": {"inline_string": body}, "content_type": content_type}}
    return [
        {"filter": _both(only, _status("EQ", 500)), "status_code": 503, **text},
        {"filter": _both(only, _status("GE", 502)), **text},
    ]


def _both(only: dict[str, Any] | None, status: dict[str, Any]) -> dict[str, Any]:
    return {"and_filter": {"filters": [only, status]}} if only else status


def _status(operator: str, status: int) -> dict[str, Any]:
    comparison = {"op": operator, "value": {"default_value": status, "runtime_key": "unused"}}
    return {"status_code_filter": {"comparison": comparison}}


def json_error(message: str, kind: str) -> str:
    """Return an error in the format of OpenAI-compatible APIs."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": kind}}, separators=(",", ":"))


def json_answer(name: str, match: dict[str, Any], status: int, message: str) -> dict[str, Any]:
    """Return a route with a direct error response in that format. Its error type is the route's name."""
    return fixed_answer(name, match, status, json_error(message, name.replace("-", "_")), "application/json")


UNAVAILABLE = json_error("No model server answered. Try again in a moment.", "upstream_unavailable")


FRAMING_HEADER = "x-request-framing"
"""Contains the request's Transfer-Encoding for the routes, because Envoy removes the original header before it selects
a route.

Copies from clients are removed with the prefix ``x-request-``; a different name would have to be removed separately.
"""


def no_body_above(limit: int, path: dict[str, Any]) -> dict[str, Any]:
    """Return a match for a declared length above the limit, including numbers that exceed an integer's range."""
    within = {"start": "0", "end": str(limit + 1)}
    too_long = {"name": "content-length", "range_match": within, "invert_match": True}
    return {**path, "headers": [*path.get("headers", ()), too_long]}


def undeclared_length_matches() -> list[dict[str, Any]]:
    """Return matches for bodies without a declared length: chunked bodies, and methods that normally have a body."""
    return [
        {"prefix": "/", "headers": [{"name": FRAMING_HEADER, "present_match": True}]},
        {
            "prefix": "/",
            "headers": [
                # Most requests do not begin with this letter, so that the expression is not evaluated for them.
                {"name": ":method", "string_match": {"prefix": "P"}},
                {"name": ":method", "string_match": {"safe_regex": {"regex": "POST|PUT|PATCH"}}},
                {"name": "content-length", "present_match": False},
            ],
        },
    ]


_BUFFER_FILTER = "envoy.filters.http.buffer"
_BUFFER = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3"


def body_filter() -> dict[str, Any]:
    """Return the filter that enforces ``no_body`` on routes that enable it."""
    return {
        "name": _BUFFER_FILTER,
        "disabled": True,
        "typed_config": {"@type": f"{_BUFFER}.Buffer", "max_request_bytes": 1},
    }


def no_body() -> dict[str, Any]:
    """Return the per-route setting that answers a body of more than one byte with 413 and forwards none of it.

    Envoy does not support a limit of zero, so a one-byte body is forwarded with a content-length.
    """
    return {_BUFFER_FILTER: {"@type": f"{_BUFFER}.BufferPerRoute", "buffer": {"max_request_bytes": 1}}}


def early_mutation(mutations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return header mutations that apply before any other filter reads the request's headers."""
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": mutations,
        },
    }


def framing_mutation() -> dict[str, Any]:
    """Return the mutation that preserves the request's Transfer-Encoding for the routes."""
    return {"append": overwrite_header(FRAMING_HEADER, "%REQ(TRANSFER-ENCODING):32%", formatted=True)}
