"""Whether a response is the one that ``trace`` predicts, and comes from the component that it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from policies.guardrails.topology.http.requests import Outcome, Result
from preflight.verify.client import LiveResponse
from preflight.verify.reading import at, listed
from preflight.verify.stack import StackInCheckout

LEAST_ERROR = 400
BY_PROXY = "proxy "
"""Prefix of the names of the proxy's rules in an outcome."""
PROXY_MARK = "x-request-id"
"""The proxy sets this header on its responses (except to a request that it cannot parse); a load balancer does not."""


def difference(stack: StackInCheckout, outcome: Outcome, answer: LiveResponse) -> str:
    """The first difference from the prediction, in one clause; empty if there is none."""
    if outcome.result is Result.DROPPED:
        return f"returned {answer.status}, expected no connection"
    if outcome.result is Result.SERVED:
        return _not_served(stack, answer)
    if answer.status != outcome.status:
        return f"returned {answer.status}, expected {outcome.status} by {outcome.rule}"
    if stack.proxy_marks_answers and answer.value(PROXY_MARK) and not outcome.rule.startswith(BY_PROXY):
        return f"returned {answer.status} at the proxy, expected {outcome.rule} to refuse it at the edge"
    return _elsewhere(stack, outcome, answer) if outcome.location else _another_text(stack, outcome, answer)


def _another_text(stack: StackInCheckout, outcome: Outcome, answer: LiveResponse) -> str:
    text = expected_body(stack, outcome.rule)
    if text and answer.body and answer.body.decode("utf-8", "replace").strip() != text.strip():
        return f"returned {answer.status} with a different body than {outcome.rule}, so another component answered"
    return ""


def _not_served(stack: StackInCheckout, answer: LiveResponse) -> str:
    target = urlsplit(answer.value("location"))
    login = {urlsplit(str(oidc.get("authorizationEndpoint"))).hostname for oidc in logins(stack)}
    if target.hostname and target.hostname in login:
        return f"returned {answer.status} with a redirect to the login, expected the application"
    if stack.proxy_marks_answers and not answer.value(PROXY_MARK):
        return f"returned {answer.status} at the edge, expected the application"
    if answer.status >= LEAST_ERROR:
        return f"returned {answer.status}, expected the application"
    return ""


def _elsewhere(stack: StackInCheckout, outcome: Outcome, answer: LiveResponse) -> str:
    wanted, found = urlsplit(outcome.location), urlsplit(answer.value("location"))
    port = {"https": 443, "http": 80}
    if (found.scheme, found.hostname, found.port or port.get(found.scheme), found.path or "/") != (
        wanted.scheme,
        wanted.hostname,
        wanted.port or port.get(wanted.scheme),
        wanted.path or "/",
    ):
        shown = f"{found.scheme}://{found.netloc}{found.path}" if found.netloc else "nowhere"
        return f"redirected to {shown}, expected {outcome.location}"
    if wanted.query and found.query != wanted.query:
        return f"redirected with another query than {outcome.location}"
    client = next((str(a["authenticateOidc"].get("clientId")) for a in stack.actions(outcome.rule) if _oidc(a)), "")
    if client and parse_qs(found.query).get("client_id") != [client]:
        return f"redirected to the login with another client than {client}"
    return ""


def _oidc(action: Mapping[str, Any]) -> bool:
    return bool(action.get("authenticateOidc"))


def logins(stack: StackInCheckout) -> list[Mapping[str, Any]]:
    """The logins of all listener rules."""
    return [a["authenticateOidc"] for name, _, _ in stack.rule_paths() for a in stack.actions(name) if _oidc(a)]


def expected_body(stack: StackInCheckout, rule: str) -> str:
    """The body that a WAF rule or a fixed response returns; empty if AWS decides it."""
    for action in stack.actions(rule):
        if (text := at(action, "fixedResponse", "messageBody")) is not None:
            return str(text)
    texts = {str(body["key"]): str(body["content"]) for body in listed(stack.web_acl.get("customResponseBodies"))}
    for declared in listed(stack.web_acl.get("rules")):
        if declared["name"] == rule:
            return texts.get(str(at(declared, "action", "block", "customResponse", "customResponseBodyKey")), "")
    return ""
