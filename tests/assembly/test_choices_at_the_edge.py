"""What a team chooses under ``ai-interface:edge`` reaches the load balancer, the log bucket and the firewall."""

from __future__ import annotations

import json

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Identity, Request
from policies.guardrails.topology.trace.request_path import trace
from preflight.recording.recorder import Recording
from settings import SettingsError
from tests.once import main_program
from tests.settings.stack_files import OPEN_WEBUI, as_the_engine_passes_it

ORIGIN = "https://chat.staging.example.com"


def graph_of(recording: Recording) -> Graph:
    return Graph.from_recorded(recording.resources)


def staging(**edge: object) -> Recording:
    """The real program for staging, with these choices at the edge."""
    config = {**as_the_engine_passes_it("staging"), **OPEN_WEBUI, "ai-interface:edge": json.dumps(edge)}
    return main_program("staging", config)


def test_the_choices_reach_what_they_are_about() -> None:
    reader = "arn:aws:iam::111122223333:role/log-readers"
    recording = staging(
        tlsPolicy="ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
        clientCidrBlocks=["198.51.100.0/24"],
        logReaderArns=[reader],
        countOnlyRules=["core"],
        contentSecurityPolicy="default-src 'self'",
    )
    listener = next(r for r in recording.of_type("aws:lb/listener:Listener") if r.inputs["port"] == 443)
    entrances = {
        (r.inputs["ipProtocol"], r.inputs["cidrIpv4"])
        for r in recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if "cidrIpv4" in r.inputs
    }
    bucket_policy = next(r for r in recording.of_type("aws:s3/bucketPolicy:BucketPolicy") if r.name == "edge-logs")
    (acl,) = recording.of_type("aws:wafv2/webAcl:WebAcl")
    core = next(rule for rule in acl.inputs["rules"] if rule["name"] == "core")
    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    assert listener.inputs["routingHttpResponseContentSecurityPolicyHeaderValue"] == "default-src 'self'"
    # A router anywhere may report a packet that is too large; only the clients' blocks open a connection.
    assert entrances == {("tcp", "198.51.100.0/24"), ("icmp", "0.0.0.0/0")}
    assert reader in bucket_policy.inputs["policy"]
    assert core["overrideAction"] == {"count": {}}


def test_a_rule_that_does_not_exist_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsError) as caught:
        staging(countOnlyRules=["cores"])
    (problem,) = caught.value.problems
    assert (problem.key, problem.value, problem.fix) == (
        "ai-interface:edge.countOnlyRules",
        '"cores"',
        "did you mean core?",
    )


def test_a_rule_that_only_counts_anyway_needs_no_switch() -> None:
    with pytest.raises(SettingsError) as caught:
        staging(countOnlyRules=["mark-upload"])
    (problem,) = caught.value.problems
    assert (problem.value, problem.fix) == ('"mark-upload"', "remove it: this rule never blocks")
    assert str(caught.value).startswith("1 problem in the settings of stack staging (Pulumi.staging.yaml)")


def test_added_paths_reach_their_lanes_behind_a_login_and_blocked_ones_come_first() -> None:
    recording = staging(paths={"blocked": ["/playground*"], "api": ["/reports/api/*"], "pages": ["/reports*"]})

    assert [str(trace(graph_of(recording), request)) for request in (
        Request("GET", f"{ORIGIN}/playground", identity=Identity({"email": "a@example.com"})),
        Request("GET", f"{ORIGIN}/reports/api/7"),
        Request("GET", f"{ORIGIN}/reports/7"),
        Request("GET", f"{ORIGIN}/reports/api/7", identity=Identity({"email": "a@example.com"})),
        Request("GET", f"{ORIGIN}/other", identity=Identity({"email": "a@example.com"})),
    )] == [
        "answered 404 by edge-blocked-3",
        "answered 401 by edge-api-5",
        "answered 302 by edge-page-5",
        "served by edge-api-5",
        "answered 404 by edge-https",
    ]  # fmt: skip


def test_prompts_on_an_added_path_are_not_taken_for_attacks() -> None:
    request = Request(
        "POST",
        f"{ORIGIN}/reports/new",
        body_bytes=100,
        identity=Identity({"email": "a@example.com"}),
        threats=frozenset({"AWSManagedRulesCommonRuleSet:CrossSiteScripting_BODY"}),
    )
    without, added = staging(), staging(paths={"api": ["/reports/*"], "prompts": ["/reports/"]})

    assert [str(trace(graph_of(recording), request)) for recording in (without, added)] == [
        "answered 403 by scripting-body",
        "served by edge-api-5",
    ]


def test_as_many_paths_as_may_be_named_fit_into_the_rules_and_the_firewall() -> None:
    lists = {
        name: [f"/{name}-{n:02}/" + "x" * 100 for n in range(20)] for name in ("blocked", "api", "pages", "prompts")
    }
    recording = staging(paths=lists)

    patterns = {
        value
        for rule in recording.of_type("aws:lb/listenerRule:ListenerRule")
        for condition in rule.inputs["conditions"]
        for value in condition.get("pathPattern", {}).get("values", [])
    }
    assert {*lists["blocked"], *lists["api"], *lists["pages"]} <= patterns
