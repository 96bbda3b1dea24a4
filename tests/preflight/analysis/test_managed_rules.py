"""What a trace evaluates of AWS's managed WAF rules, and what it lists as not evaluated."""

from __future__ import annotations

import pytest

from components.waf.managed import GROUPS
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Result
from preflight.analysis import managed_rules, tracing
from preflight.analysis.tracing import Asked
from preflight.errors import PreflightError
from preflight.review import trace_text
from tests.preflight.changes.planning import running

HOST = "https://chat.staging.example.com"
SEARCH, OTHER = f"{HOST}/api/v1/chats/search?text=", f"{HOST}/api/config?x="


def traced(method: str, url: str, **more: object) -> tuple[Result, int | None, str]:
    """Result, status and deciding rule of a request to staging."""
    request = tracing.request_of(Asked(method=method, url=url, **more))  # pyright: ignore[reportArgumentType] - fields by name
    outcome, _ = tracing.follow(running(), request)
    return outcome.result, outcome.status, outcome.rule


def test_every_group_of_the_stack_and_every_rule_that_it_overrides_is_known() -> None:
    for group in GROUPS:
        assert {override.rule for override in group.overrides} <= set(managed_rules.PUBLISHED[group.name])


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("../../etc/passwd", "file-inclusion-query"),
        ("http://203.0.113.9/x", "remote-inclusion-query"),
        ("http://169.254.169.254/latest", "metadata-query"),
        ("<script>alert(1)</script>", "scripting-query"),
        ("${jndi:ldap://x}", "log4j-query"),
        ("java.lang.Runtime", "java-deserialization-query"),
        ("app.log", "extension-query"),
    ],
)
def test_the_words_of_a_search_pass_and_block_elsewhere(words: str, rule: str) -> None:
    # Without a session, the API returns 401, which is after the WAF.
    assert traced("GET", SEARCH + words)[1] == 401
    result, status, decided = traced("GET", OTHER + words)
    assert (result, status) == (Result.ANSWERED, 403)
    # An address of the metadata service is also one to include, which is compared first.
    assert decided == ("remote-inclusion-query" if rule == "metadata-query" else rule)


@pytest.mark.parametrize(
    ("method", "url", "more", "rule"),
    [
        ("GET", f"{HOST}/", {"headers": ("user-agent:nmap",)}, "core"),
        ("GET", f"{HOST}/x/server.log", {}, "core"),
        ("GET", f"{HOST}/WEB-INF/web.xml", {}, "known-bad-inputs"),
        ("GET", f"{HOST}/", {"cookies": ("a=<script>",)}, "core"),
        ("POST", f"{HOST}/api/v1/auths/signin", {"threats": ("GenericLFI_BODY",)}, "file-inclusion-body"),
        (
            "GET",
            f"{HOST}/",
            {"threats": ("AWSManagedRulesAmazonIpReputationList:AWSManagedReconnaissanceList",)},
            "ip-reputation",
        ),
    ],
)
def test_a_published_condition_or_a_named_threat_blocks(
    method: str, url: str, more: dict[str, object], rule: str
) -> None:
    assert traced(method, url, **more) == (Result.ANSWERED, 403, rule)


def test_a_threat_that_no_group_has_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(PreflightError, match="nearest is GenericLFI_BODY"):
        traced("GET", f"{HOST}/", threats=("GenericLFI_BODI",))


def test_what_is_not_public_is_listed_for_each_group() -> None:
    request = tracing.request_of(Asked(method="GET", url=f"{HOST}/"))
    _, unevaluated = tracing.follow(running(), request)
    assert [line.partition(":")[0] for line in unevaluated] == sorted(group.name for group in GROUPS)
    shown = trace_text.as_text(trace_text.traced_request(running(), request))
    assert "not evaluated: AWSManagedRulesCommonRuleSet" in shown


def test_a_request_that_the_waf_blocks_lists_nothing() -> None:
    request = tracing.request_of(Asked(method="GET", url=f"{HOST}/", headers=("user-agent:nmap",)))
    assert tracing.follow(running(), request)[1] == []


def test_a_stack_without_managed_groups_has_none() -> None:
    assert managed_rules.not_evaluated(Graph(())) == []
