"""What happens to programs with a token, and to everybody else, where machine clients are configured."""

from __future__ import annotations

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Identity, Request
from policies.guardrails.topology.trace.request_path import trace
from tests.assembly.topologies import HOST, MACHINE_HOST, Shape, recorded

SHAPE = Shape(zones=2, own_vpc=True, hosted_zone=True, machine_clients=True)
MODEL = "/general/v1/chat/completions"
ISSUER = "https://login.example.com"
GOOD = Identity({"iss": ISSUER, "aud": ["models"], "scope": "models.call models.list"}, token=True)
MEMBER = Identity({"groups": ["ai-interface-staging-users"], "email": "a@example.com"})


def asked(host: str, path: str, identity: Identity | None, method: str = "POST", scheme: str = "https") -> str:
    """What happens to a request, in the words of ``preflight trace``."""
    request = Request(method, f"{scheme}://{host}{path}", body_bytes=10 * (method == "POST"), identity=identity)
    return str(trace(Graph.from_recorded(recorded(SHAPE).resources), request))


def test_a_token_with_issuer_audience_and_claim_calls_a_model() -> None:
    assert asked(MACHINE_HOST, MODEL, GOOD) == "served by edge-machine-1"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["models"], "scope": "models.call"},
        {"iss": "https://other.example.com", "aud": ["models"], "scope": "models.call"},
        {"iss": ISSUER, "aud": ["others"], "scope": "models.call"},
        {"iss": ISSUER, "aud": "models", "scope": "models.call"},
        {"iss": ISSUER, "scope": "models.call"},
        {"iss": ISSUER, "aud": ["models"], "scope": "models.list"},
        {"iss": ISSUER, "aud": ["models"], "scope": ["models.call"]},
        {"iss": ISSUER, "aud": ["models"]},
    ],
    ids=["no issuer", "another issuer", "another audience", "audience as one string", "no audience", "another scope",
         "scope as a list", "no scope"],
)  # fmt: skip
def test_a_token_that_lacks_any_of_them_is_refused(claims: dict[str, object]) -> None:
    assert asked(MACHINE_HOST, MODEL, Identity(claims, token=True)) == "answered 401 by edge-machine-1"


@pytest.mark.parametrize("identity", [None, MEMBER], ids=["nobody", "a person's session"])
def test_whoever_has_no_token_is_refused(identity: Identity | None) -> None:
    assert asked(MACHINE_HOST, MODEL, identity) == "answered 401 by edge-machine-1"


@pytest.mark.parametrize("path", ["/", "/api/v1/chats/", "/oauth2/idpresponse", "/general/v2/chat", "/metrics"])
def test_nothing_but_models_is_at_the_machines_name(path: str) -> None:
    assert asked(MACHINE_HOST, path, GOOD, "GET") == "answered 404 by edge-https"


def test_a_token_gets_nowhere_at_the_people_s_name() -> None:
    assert asked(HOST, "/api/v1/chats/", GOOD, "GET") == "answered 401 by edge-api-1"
    assert asked(HOST, MODEL, GOOD) == "answered 404 by edge-https"


def test_plain_http_is_redirected_there_too() -> None:
    assert asked(MACHINE_HOST, MODEL, GOOD, scheme="http") == "answered 301 by edge-redirect"
