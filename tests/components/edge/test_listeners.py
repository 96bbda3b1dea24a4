"""The edge's listeners: TLS, response headers, the redirect, and 404 for what is not declared."""

import pytest

from components.edge import Edge, TlsPolicy
from preflight.recording.recorder import record
from tests.components.edge_fixtures import CERTIFICATE, edge_args, listener_rule, named, recorded_edge

LISTENER = "aws:lb/listener:Listener"


def test_https_ends_with_a_restricted_policy_returns_404_by_default_and_sets_response_headers() -> None:
    recording = recorded_edge(zone=False)
    listener = named(recording, "edge-https", LISTENER)

    assert {key: value for key, value in listener.inputs.items() if key not in ("tags", "loadBalancerArn")} == {
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "certificateArn": CERTIFICATE,
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found\n", "statusCode": "404"},
            }
        ],
        "routingHttpResponseServerEnabled": False,
        "routingHttpResponseStrictTransportSecurityHeaderValue": "max-age=63072000; includeSubDomains",
        "routingHttpResponseXContentTypeOptionsHeaderValue": "nosniff",
        "routingHttpResponseXFrameOptionsHeaderValue": "SAMEORIGIN",
    }


def test_tls_1_3_only_and_a_content_security_policy_are_choices() -> None:
    args = edge_args(tls_policy=TlsPolicy.TLS_1_3_ONLY, content_security_policy="default-src 'self'")
    listener = named(record(lambda: Edge("edge", args)), "edge-https", LISTENER)

    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    assert listener.inputs["routingHttpResponseContentSecurityPolicyHeaderValue"] == "default-src 'self'"


@pytest.mark.parametrize("machine", [False, True])
def test_without_tls_declared_names_are_redirected_and_all_else_is_404(machine: bool) -> None:
    recording = recorded_edge(machine=machine)
    listener, redirect = named(recording, "edge-http", LISTENER), listener_rule(recording, "redirect")

    assert {key: value for key, value in listener.inputs.items() if key not in ("tags", "loadBalancerArn")} == {
        "port": 80,
        "protocol": "HTTP",
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found\n", "statusCode": "404"},
            }
        ],
        "routingHttpResponseServerEnabled": False,
    }
    assert redirect.inputs["listenerArn"] == listener.outputs["arn"]
    assert redirect.inputs["conditions"] == [
        {"hostHeader": {"values": ["chat.example.com", *(["models.example.com"] if machine else [])]}}
    ]
    assert redirect.inputs["actions"] == [
        {
            "type": "redirect",
            "order": 1,
            "redirect": {
                "protocol": "HTTPS",
                "port": "443",
                "host": "#{host}",
                "path": "/#{path}",
                "query": "#{query}",
                "statusCode": "HTTP_301",
            },
        }
    ]
