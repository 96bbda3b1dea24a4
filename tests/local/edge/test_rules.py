"""Every listener rule of both stacks, by real requests: what each does is what the checks of a stack say that it does."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from local.edge.browser import Browser
from local.stack import Resource, Stack
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Identity, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from preflight.recording.recorder import Recording
from tests.local.edge.declared import logins, values
from tests.local.edge.world import LISTENER, RULE, World, world

PRIORITY = 20
"""The place of ``matched_rule_priority`` in the access log."""


@pytest.fixture(scope="module")
def running(recording: Recording) -> Generator[tuple[World, Browser]]:
    """The edge of a stack and a member's browser."""
    with world(Stack.of(recording)) as made:
        yield made, made.member()


def _paths(rule: Resource) -> Iterator[str]:
    for pattern in values(rule, "pathPattern") or ["/"]:
        yield pattern.replace("*", "x").replace("?", "y")


def _requests(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Rule, scheme and path for each condition's value."""
    for rule in stack.all(RULE):
        scheme = str(stack.by_arn(rule["listenerArn"])["protocol"]).lower()
        for path in _paths(rule):
            yield rule.name, scheme, path


def test_without_a_session_each_rule_answers_as_it_is_traced(running: tuple[World, Browser]) -> None:
    """Fixed responses, redirects, 401 and the redirect to log in: status, target and text."""
    made, _ = running
    graph = Graph.from_recorded(made.stack.recording.resources)
    seen: set[str] = set()
    for rule, scheme, path in _requests(made.stack):
        if path == "/oauth2/idpresponse":
            continue
        response = made.browser().get(made.url(path, scheme), follow=False)
        outcome = trace(graph, Request("GET", made.url(path, scheme)))
        assert (outcome.result, outcome.rule) == (Result.ANSWERED, rule), path
        assert response.status == outcome.status, (rule, path)
        assert (response.headers["location"] or "").partition("?")[0] == outcome.location, (rule, path)
        seen.add(rule)
    assert seen == {one.name for one in made.stack.all(RULE)}
    assert not made.target.requests or all(one.target == "/" for one in made.target.requests)


def test_with_a_session_each_authenticating_rule_forwards(running: tuple[World, Browser]) -> None:
    """The target gets the request with the claims; what is blocked stays blocked."""
    made, browser = running
    graph = Graph.from_recorded(made.stack.recording.resources)
    for rule, scheme, path in _requests(made.stack):
        if path == "/oauth2/idpresponse" or scheme == "http":
            continue
        before = len(made.target.requests)
        response = browser.get(made.url(path), follow=False)
        outcome = trace(graph, Request("GET", made.url(path), identity=Identity(made.people.member.claims)))
        if outcome.result is Result.SERVED:
            assert response.status == 200, (rule, path)
            (received,) = made.target.requests[before:]
            assert received.target == path
            assert received.value("x-amzn-oidc-identity") == made.people.member.subject
        else:
            assert response.status == outcome.status, (rule, path)
            assert len(made.target.requests) == before


def test_the_fixed_responses_have_the_declared_text_and_type(running: tuple[World, Browser]) -> None:
    """Of rules, and of a host that no rule names."""
    made, browser = running
    for rule in made.stack.all(RULE):
        for action in rule["actions"]:
            if fixed := action.get("fixedResponse"):
                for path in _paths(rule):
                    response = browser.get(made.url(path), follow=False)
                    assert response.text == fixed["messageBody"]
                    assert response.headers["content-type"] == fixed["contentType"]


def test_an_unknown_host_gets_the_default_actions(running: tuple[World, Browser]) -> None:
    """By plain HTTP, and over TLS by a client that accepts the certificate of another name."""
    made, browser = running
    for listener in made.stack.all(LISTENER):
        (action,) = listener["defaultActions"]
        scheme = str(listener["protocol"]).lower()
        url = made.url(f"/?unknown-{scheme}", scheme)
        response = browser.get(url, {"Host": "unknown.example"}, follow=False)
        assert (str(response.status), response.text) == (
            action["fixedResponse"]["statusCode"],
            action["fixedResponse"]["messageBody"],
        )
        assert shlex.split(made.line(f"unknown-{scheme}"))[PRIORITY] == "0"


def test_http_is_redirected_with_path_and_query(running: tuple[World, Browser]) -> None:
    """The whole URL comes back over TLS, and the session that follows is asked for there."""
    made, _ = running
    response = made.browser().get(made.url("/c/1?model=a%20b&x=1", "http"), follow=False)
    assert (response.status, response.headers["location"]) == (301, made.url("/c/1?model=a%20b&x=1"))


def test_the_redirect_to_log_in_names_client_callback_scope_and_state(running: tuple[World, Browser]) -> None:
    """As the rule declares them; the nonce cookie is neither readable by scripts nor sent without TLS."""
    made, _ = running
    for rule in made.stack.all(RULE):
        for login in logins(rule):
            if login["onUnauthenticatedRequest"] != "authenticate":
                continue
            path = next(path for path in _paths(rule) if path != "/oauth2/idpresponse")
            response = made.browser().get(made.url(path), follow=False)
            query = {key: value[0] for key, value in parse_qs(urlsplit(response.headers["location"]).query).items()}
            assert len(query.pop("state")) > 40
            assert query == {
                "client_id": login["clientId"],
                "redirect_uri": made.url("/oauth2/idpresponse"),
                "response_type": "code",
                "scope": login["scope"],
            }
            assert response.headers["set-cookie"].endswith("; Path=/; Secure; HttpOnly")


def test_every_response_has_the_headers_of_its_listener(running: tuple[World, Browser]) -> None:
    """The load balancer's own and the target's, and no server header where the listener hides it."""
    made, browser = running
    made.target.answer_headers = (("server", "uvicorn"), ("x-frame-options", "ALLOWALL"))
    for listener in made.edge.listeners:
        assert listener.headers or listener.scheme == "http"
        for path in ("/", "/health", "/api/x"):
            response = browser.get(made.url(path, listener.scheme), follow=False)
            assert response.headers["server"] is None
            for name, value in listener.headers:
                assert response.headers.get_all(name) == [value], (path, name)
