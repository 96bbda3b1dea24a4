"""The baseline for the generated configuration: the same Envoy as a bare pass-through, and a fast application."""

from __future__ import annotations

from typing import Any

from components.proxy import ProxySettings, envoy_configuration

ANSWER_BYTES = 1024


def pass_through(settings: ProxySettings) -> dict[str, Any]:
    """Return the same TLS listener and cluster with one route, one filter and no log."""
    generated = envoy_configuration(settings)["static_resources"]
    listener, cluster = generated["listeners"][0], generated["clusters"][0]
    (chain,) = listener["filter_chains"]
    manager = _manager({"route": {"cluster": cluster["name"], "timeout": "0s"}})
    return {
        "static_resources": {
            "listeners": [{**listener, "filter_chains": [{**chain, "filters": [manager]}]}],
            "clusters": [cluster],
        },
        "overload_manager": envoy_configuration(settings)["overload_manager"],
    }


def answerer(port: int) -> dict[str, Any]:
    """Return an Envoy that answers everything itself: the fastest application there is."""
    body = {"status": 200, "body": {"inline_string": "x" * ANSWER_BYTES}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    chain = {"filters": [_manager({"direct_response": body})]}
    return {"static_resources": {"listeners": [{"name": "answerer", "address": address, "filter_chains": [chain]}]}}


def _manager(action: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bare",
            "codec_type": "HTTP1",
            "http_filters": [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
                }
            ],
            "route_config": {
                "virtual_hosts": [{"name": "bare", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}]
            },
        },
    }
