"""The web ACL: rates that are counted, labels, metrics in the alarm's dimensions, and its log."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.edge.browser import Browser
from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.local.edge.raw import answer, cookies, head
from tests.local.edge.world import ACL, ALARM, ASSOCIATION, World, world

UPLOAD = "/api/v1/files/"


def _rule(stack: Stack, name: str) -> dict[str, Any]:
    (found,) = [one for one in stack.one(ACL)["rules"] if one["name"] == name]
    return found


def _limited(stack: Stack, limit: int) -> Stack:
    """The stack with a lower limit for the uploads of a session; the window stays."""
    acl = stack.one(ACL)
    rules = json.loads(json.dumps(acl["rules"]))
    for one in rules:
        if one["name"] == "rate-uploads-session":
            one["statement"]["rateBasedStatement"]["limit"] = limit
    return stack.changed(acl, rules=rules)


def _uploads(made: World, browser: Browser, count: int) -> Iterator[tuple[int, str, str | None]]:
    with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
        for _ in range(count):
            connection.sendall(head(made, "POST", UPLOAD, [cookies(browser), ("content-length", "1")]) + b"x")
            response = answer(connection)
            yield response.status, response.text, response.headers["retry-after"]


def test_a_rate_is_counted_by_its_key_and_within_its_window(edge: World) -> None:
    """The declared number passes, the next one gets a retry-after; another session is not affected."""
    rule = _rule(edge.stack, "rate-uploads-session")
    rate = rule["statement"]["rateBasedStatement"]
    browser, other = edge.member(), edge.member()
    found = list(_uploads(edge, browser, rate["limit"] + 2))
    assert {status for status, _, _ in found[: rate["limit"]]} == {200}
    custom = rule["action"]["block"]["customResponse"]
    wait = custom["responseHeaders"][0]["value"]
    (text,) = [
        one["content"]
        for one in edge.stack.one(ACL)["customResponseBodies"]
        if one["key"] == custom["customResponseBodyKey"]
    ]
    assert found[rate["limit"] :] == [(custom["responseCode"], text, wait)] * 2
    assert [status for status, _, _ in _uploads(edge, other, 1)] == [200]
    assert browser.get(edge.url("/api/v1/x")).status == 200, "what the scope leaves out is not limited"
    edge.clock.ahead = rate["evaluationWindowSec"] + 1
    assert [status for status, _, _ in _uploads(edge, browser, 1)] == [200]


def test_a_request_that_lacks_the_key_is_not_counted(prod: Stack) -> None:
    """Without a session there is no session's rate; the answer is the rule's 401."""
    with world(_limited(prod, 10)) as made:
        assert {made.browser().request("POST", made.url(UPLOAD), body=b"x").status for _ in range(12)} == {401}


def test_a_block_moves_the_alarms_metric(recording: Recording) -> None:
    """In the dimensions that the alarm of the stack reads, which CloudWatch tells apart."""
    stack = Stack.of(recording)
    (alarm,) = [one for one in stack.all(ALARM) if str(one["name"]).endswith(" firewall-blocked")]
    metric = alarm["metricQueries"][0]["metric"]
    with world(stack) as made:
        before = made.sum(metric["metricName"], **metric["dimensions"])
        path = _rule(stack, "canary")["statement"]["byteMatchStatement"]["searchString"]
        assert made.browser().get(made.url(path)).status == 403
        assert made.sum(metric["metricName"], **metric["dimensions"]) == before + 1
        metric = stack.one(ACL)["visibilityConfig"]["metricName"]
        assert made.sum("BlockedRequests", WebACL=metric, Region=stack.region, Rule="canary") == 1
        assert made.balancer_sum("HTTPCode_ELB_4XX_Count") == 1


def test_the_log_keeps_what_the_filter_keeps_and_shows_no_secret(edge: World) -> None:
    """A blocked request is there without cookie, token and query; one that passes is dropped."""
    browser = edge.member()
    assert not edge.edge.around.journal.lines["firewall"]
    browser.get(edge.url("/firewall-canary?secret=1"), {"Authorization": "Bearer secret", "X-Shown": "yes"})
    line = json.loads(edge.line("canary", "firewall"))
    assert (line["action"], line["terminatingRuleId"]) == ("BLOCK", "canary")
    headers = {one["name"]: one["value"] for one in line["httpRequest"]["headers"]}
    assert headers["x-shown"] == "yes"
    assert headers["cookie"] == headers["authorization"] == "REDACTED"
    assert line["httpRequest"]["args"] == "REDACTED"
    assert "secret" not in json.dumps(line)


def test_a_body_is_inspected_up_to_the_window(edge: World) -> None:
    """What is beyond 8 KiB is counted by its own rule and passes; every byte arrives."""
    browser = edge.member()
    body = b"x" * 200_000
    metric = edge.stack.one(ACL)["visibilityConfig"]["metricName"]
    counted = {"WebACL": metric, "Region": edge.stack.region, "Rule": "body-beyond-window"}
    assert browser.request("POST", edge.url("/api/v1/x"), body=body[:8192]).status == 200
    assert edge.sum("CountedRequests", **counted) == 0
    assert browser.request("POST", edge.url("/api/v1/x"), body=body).status == 200
    assert edge.sum("CountedRequests", **counted) == 1
    assert edge.target.requests[-1].body == body


def test_a_rate_that_is_counted_in_a_way_that_is_not_emulated_is_named(prod: Stack) -> None:
    """A key of another kind: the request fails, and the cause says why."""
    acl = prod.one(ACL)
    rules = json.loads(json.dumps(acl["rules"]))
    for one in rules:
        if one["name"] == "rate-pages-session":
            one["statement"]["rateBasedStatement"]["customKeys"] = [{"ja3Fingerprint": {"fallbackBehavior": "MATCH"}}]
    with world(prod.changed(acl, rules=rules)) as made:
        assert made.browser().get(made.url("/")).status == 500
        assert "a rate rule with the aggregate key ja3Fingerprint" in made.causes()


def test_managed_groups_are_reported_as_not_emulated(edge: World) -> None:
    """Each of the graph's, by its name; nothing else of the rules."""
    names = [
        one["statement"]["managedRuleGroupStatement"]["name"]
        for one in edge.stack.one(ACL)["rules"]
        if "managedRuleGroupStatement" in one["statement"]
    ]
    assert len(edge.edge.not_emulated) == len(names) > 0
    assert all(any(name in text for text in edge.edge.not_emulated) for name in names)
    assert "cannot be evaluated" not in edge.causes()


@pytest.mark.parametrize("associated", [True, False])
def test_the_access_log_tells_whether_a_web_acl_was_asked(prod: Stack, associated: bool) -> None:
    """Its actions begin with ``waf`` then."""
    association = prod.one(ASSOCIATION)
    other = "arn:aws:elasticloadbalancing:another"
    with world(prod if associated else prod.changed(association, resourceArn=other)) as made:
        made.browser().get(made.url("/health?asked"))
        assert ('"waf,fixed-response"' if associated else '"fixed-response"') in made.line("/health?asked")
