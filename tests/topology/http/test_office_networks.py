"""Requests from an office network, whose addresses have separate limits in place of those for any other address."""

from __future__ import annotations

import ipaddress

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import CLIENT, Identity, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from tests.preflight.conform.graphs import OFFICE_BLOCK, with_offices
from tests.topology.http.test_request_table import configured, facts

OFFICE = str(ipaddress.ip_network(OFFICE_BLOCK)[3])
CHAT, FILE, PAGE, SCRIPT = (
    ("POST", "/api/chat/completions"),
    ("POST", "/api/v1/files/"),
    ("GET", "/"),
    ("GET", "/_app/a.js"),
)
ADDRESS = (
    (FILE, "rate-uploads-address"),
    (CHAT, "rate-model-calls-address"),
    (PAGE, "rate-pages-address"),
    (SCRIPT, "rate-static-address"),
)
OF_OFFICE = (
    (FILE, "rate-uploads-office"),
    (CHAT, "rate-model-calls-office"),
    (PAGE, "rate-requests-office"),
    (SCRIPT, "rate-requests-office"),
)
SESSION = ((FILE, "rate-uploads-session"), (CHAT, "rate-model-calls-session"), (PAGE, "rate-pages-session"))


def _decided(what: tuple[str, str], client: str, rule: str, *, preview: bool) -> tuple[Result, int | None, str]:
    config = configured("staging")
    method, path = what
    claim = config["ai-interface:identity"]["allowed"]["claim"]
    request = Request(
        method,
        f"https://{config['ai-interface:domain']['hostName']}{path}",
        headers=(("content-type", "application/json"),) if method == "POST" else (),
        body_bytes=100 * (method == "POST"),
        identity=Identity({"email": "someone@example.com", claim["name"]: claim["values"]}),
        client=client,
        exceeds=frozenset({rule}),
    )
    graph = Graph.from_recorded(with_offices(preview=preview).resources)
    outcome = trace(graph, request, facts("staging"))
    assert outcome.unknowns == ()
    return outcome.result, outcome.status, outcome.rule


VIEWS = pytest.mark.parametrize("preview", [False, True], ids=["known", "first preview"])


@VIEWS
@pytest.mark.parametrize(("what", "rule"), ADDRESS)
def test_the_limit_of_an_address_does_not_count_offices(what: tuple[str, str], rule: str, preview: bool) -> None:
    assert _decided(what, CLIENT, rule, preview=preview) == (Result.ANSWERED, 429, rule)
    assert _decided(what, OFFICE, rule, preview=preview)[0] is Result.SERVED


@VIEWS
@pytest.mark.parametrize(("what", "rule"), OF_OFFICE)
def test_an_office_has_a_separate_limit(what: tuple[str, str], rule: str, preview: bool) -> None:
    assert _decided(what, OFFICE, rule, preview=preview) == (Result.ANSWERED, 429, rule)
    assert _decided(what, CLIENT, rule, preview=preview)[0] is Result.SERVED


@VIEWS
@pytest.mark.parametrize(("what", "rule"), SESSION)
@pytest.mark.parametrize("client", [CLIENT, OFFICE])
def test_a_session_is_counted_everywhere(what: tuple[str, str], rule: str, client: str, preview: bool) -> None:
    assert _decided(what, client, rule, preview=preview) == (Result.ANSWERED, 429, rule)
