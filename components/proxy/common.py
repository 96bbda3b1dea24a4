"""Pieces that both sides of the proxy share: addresses, access log, HTTP options, fixed answers."""

import json
from typing import Any

REQUEST_ID_LENGTH = 40
"""The load balancer's own part of X-Amzn-Trace-Id: ``Root=`` or ``Self=`` comes first, what a client added after it."""

_ACCESS_LOG_FIELDS = {
    "time": "%START_TIME%",
    "request_id": f"%REQ(X-REQUEST-ID):{REQUEST_ID_LENGTH}%",
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
"""No path, query, header of a client, cookie, token, body or identity: the route's name stands for the path."""


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
    """Return limits on what is in flight to a cluster: one request more is refused at once, instead of waiting.

    With as many connections as requests it would wait for a connection, so there are twice as many.
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


def http1_upstream(idle_seconds: int, filters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a cluster's options for HTTP/1.1, with filters that see the request as it is sent."""
    options: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": f"{idle_seconds}s"},
    }
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
            # Nothing reads these statistics, and they cost 4 percent of a request.
            "dynamic_stats": False,
        },
    }


def overwrite_header(key: str, value: str, *, formatted: bool = False) -> dict[str, Any]:
    """Return a header that replaces whatever has its name; ``%`` is a format only where that is said."""
    text = value if formatted else value.replace("%", "%%")
    return {"header": {"key": key, "value": text}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


NO_STORE = overwrite_header("cache-control", "no-store")


def fixed_answer(name: str, match: dict[str, Any], status: int, body: str, content_type: str = "") -> dict[str, Any]:
    """Return a route that Envoy answers itself, without reading a body; plain text unless said otherwise."""
    route: dict[str, Any] = {
        "name": name,
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": body}},
    }
    if content_type:
        route["response_headers_to_add"] = [overwrite_header("content-type", content_type)]
    return route


def own_unavailable_answer(body: str, content_type: str, only: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return local replies that replace Envoy's text for 502 to 504, which reveals addresses. Short of memory, Envoy
    answers 500, which would suggest that the request was at fault."""
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
    """Return an error in the form that OpenAI-compatible clients read."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": kind}}, separators=(",", ":"))


def json_answer(name: str, match: dict[str, Any], status: int, message: str) -> dict[str, Any]:
    """Return a route with an error of Envoy's own in that form; its kind is the route's name."""
    return fixed_answer(name, match, status, json_error(message, name.replace("-", "_")), "application/json")


UNAVAILABLE = json_error("No model server answered. Try again in a moment.", "upstream_unavailable")


FRAMING_HEADER = "x-request-framing"
"""Holds the request's Transfer-Encoding for the routes: Envoy removes the original before it looks for one.

A client's own copy goes with its family, ``x-request-``: under another name it would have to be stripped by that name.
"""


def no_body_above(limit: int, path: dict[str, Any]) -> dict[str, Any]:
    """Return a match for a declared length above the limit, numbers that no integer holds included."""
    within = {"start": "0", "end": str(limit + 1)}
    too_long = {"name": "content-length", "range_match": within, "invert_match": True}
    return {**path, "headers": [*path.get("headers", ()), too_long]}


def undeclared_length_matches() -> list[dict[str, Any]]:
    """Return matches for bodies without a declared length: chunked ones, and methods that carry one anyway."""
    return [
        {"prefix": "/", "headers": [{"name": FRAMING_HEADER, "present_match": True}]},
        {
            "prefix": "/",
            "headers": [
                {"name": ":method", "string_match": {"safe_regex": {"regex": "POST|PUT|PATCH"}}},
                {"name": "content-length", "present_match": False},
            ],
        },
    ]


_BUFFER_FILTER = "envoy.filters.http.buffer"
_BUFFER = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3"


def body_filter() -> dict[str, Any]:
    """Return the filter that holds requests to ``no_body``, where a route asks for it."""
    return {
        "name": _BUFFER_FILTER,
        "disabled": True,
        "typed_config": {"@type": f"{_BUFFER}.Buffer", "max_request_bytes": 1},
    }


def no_body() -> dict[str, Any]:
    """Return the per-route setting that answers a body of more than one byte with 413, and sends on none of it.

    Envoy knows no limit of zero. A single byte goes on with its length declared.
    """
    return {_BUFFER_FILTER: {"@type": f"{_BUFFER}.BufferPerRoute", "buffer": {"max_request_bytes": 1}}}


def early_mutation(mutations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return changes to a request's headers that come before anything else reads them."""
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": mutations,
        },
    }


def framing_mutation() -> dict[str, Any]:
    """Return the change that keeps the request's Transfer-Encoding for the routes."""
    return {"append": overwrite_header(FRAMING_HEADER, "%REQ(TRANSFER-ENCODING):32%", formatted=True)}
