"""What a load balancer refuses before a firewall is asked, in each mode of its desync mitigation."""

from __future__ import annotations

import pytest

from policies.guardrails.topology.http.requests import Request
from policies.guardrails.topology.trace.request_path import trace
from tests.topology.builders import UNKNOWN, compliant

URL = "https://chat.example.test/api/x"
FINE = Request("POST", URL, body_bytes=3)
SEVERE = Request("POST", URL, headers=(("content-length", "1e3"),))
AMBIGUOUS = {
    "a body with GET": Request("GET", URL, body_bytes=3),
    "a body in chunks with HEAD": Request("HEAD", URL, body_bytes=3, declares_length=False),
    "an empty length with GET": Request("GET", URL, headers=(("content-length", "0"),)),
    "two lengths": Request("POST", URL, headers=(("transfer-encoding", "chunked"),), body_bytes=3),
    "an empty header": Request("POST", URL, headers=(("x-team", " "),), body_bytes=3),
    "a control character": Request("POST", URL, headers=(("x-team", "a\x01b"),), body_bytes=3),
    "a letter beyond ASCII": Request("POST", URL, headers=(("x-team", "b\u00e4"),), body_bytes=3),
}
REFUSED = (400, "desync mitigation")


def decided(request: Request, mode: str | None) -> tuple[int | None, str]:
    stack = compliant()
    if mode is None:
        stack["edge"].inputs.pop("desyncMitigationMode", None)
    else:
        stack["edge"]["desyncMitigationMode"] = mode
    outcome = trace(stack.graph(known=True), request)
    return outcome.status, outcome.rule


@pytest.mark.parametrize("what", AMBIGUOUS)
def test_strictest_refuses_what_defensive_lets_in(what: str) -> None:
    assert decided(AMBIGUOUS[what], "strictest") == REFUSED
    for mode in ("defensive", None, "monitor"):
        assert decided(AMBIGUOUS[what], mode) != REFUSED


@pytest.mark.parametrize(
    ("mode", "refused"), [("strictest", True), ("defensive", True), (None, True), ("monitor", False)]
)
def test_only_monitor_lets_a_severe_request_in(mode: str | None, refused: bool) -> None:
    assert (decided(SEVERE, mode) == REFUSED) is refused


@pytest.mark.parametrize("mode", ["strictest", "defensive", "monitor"])
def test_an_ordinary_request_goes_on_in_every_mode(mode: str) -> None:
    assert decided(FINE, mode)[0] == 401


@pytest.mark.parametrize(("request_", "unsure"), [(SEVERE, True), (AMBIGUOUS["two lengths"], True), (FINE, False)])
def test_a_mode_that_is_not_known_leaves_only_such_requests_not_proven(request_: Request, unsure: bool) -> None:
    stack = compliant()
    stack["edge"]["desyncMitigationMode"] = UNKNOWN

    assert ("lb.LoadBalancer edge.desyncMitigationMode" in trace(stack.graph(known=True), request_).unknowns) is unsure


def test_trace_is_no_method_of_a_load_balancer() -> None:
    assert decided(Request("TRACE", URL), "strictest") == (405, "unsupported method")
