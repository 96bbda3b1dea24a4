"""Firewall statements and listener conditions match what AWS's documentation says they match."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.topology.graph.values import Unknown
from policies.guardrails.topology.http.requests import Identity, Outcome, Request, Result, Trail
from policies.guardrails.topology.trace.listener_rules import condition_matches, fits
from policies.guardrails.topology.trace.request_path import trace
from policies.guardrails.topology.waf.match_fields import transformed
from policies.guardrails.topology.waf.web_acl import WebAcl
from tests.topology.builders import UNKNOWN, Ref, Stack, compliant, forward

NONE = [{"priority": 0, "type": "NONE"}]
GET = Request(
    "GET", "https://chat.example.test/api/Chat?q=1&Tag=A%2fB", headers=(("X-Team", "blue"),), cookies=(("a", "1"),)
)
Statement = dict[str, Any]
PATH: Statement = {"uriPath": {}}
EMPTY: Statement = {}


def byte(text: str, how: str = "CONTAINS", field: Statement | None = None, kind: str = "NONE") -> Statement:
    body: Statement = {"searchString": text, "positionalConstraint": how, "fieldToMatch": field or PATH}
    return {"byteMatchStatement": {**body, "textTransformations": [{"priority": 0, "type": kind}]}}


def size(field: Statement, operator: str, limit: int) -> Statement:
    body = {"comparisonOperator": operator, "size": limit, "fieldToMatch": field, "textTransformations": NONE}
    return {"sizeConstraintStatement": body}


def one_header(name: str) -> Statement:
    return {"singleHeader": {"name": name}}


def all_headers(scope: str, oversize: str = "CONTINUE") -> Statement:
    return {"headers": [{"matchPattern": {"all": {}}, "matchScope": scope, "oversizeHandling": oversize}]}


YES, NO = byte("/api"), byte("/none")
STATEMENTS: dict[str, tuple[Statement, bool | None]] = {
    "contains": (byte("Chat"), True),
    "exactly": (byte("/api", "EXACTLY"), False),
    "starts with": (byte("/api/", "STARTS_WITH"), True),
    "ends with": (byte("Chat", "ENDS_WITH"), True),
    "a word": (byte("Chat", "CONTAINS_WORD"), True),
    "part of a word": (byte("Cha", "CONTAINS_WORD"), False),
    "lower case": (byte("/api/chat", "EXACTLY", kind="LOWERCASE"), True),
    "a transformation that is not known": (byte("/api", kind="BASE64_DECODE_EXT"), None),
    "the query decoded": (byte("Tag=A/B", field={"queryString": {}}, kind="URL_DECODE"), True),
    "one argument": (byte("A/B", "EXACTLY", {"singleQueryArgument": {"name": "tag"}}), True),
    "the method": (byte("GET", "EXACTLY", {"method": {}}), True),
    "a header": (byte("blue", "EXACTLY", one_header("x-team")), True),
    "a header that is not there": (byte("blue", "EXACTLY", one_header("x-other")), False),
    "header names": (byte("x-t", "STARTS_WITH", all_headers("KEY")), True),
    "header values": (byte("x-t", "STARTS_WITH", all_headers("VALUE")), False),
    "a cookie": (byte("1", "EXACTLY", {"cookies": [{"matchPattern": {"includedCookies": ["a"]}, "matchScope": "VALUE"}]}), True),
    "a cookie that is not included": (
        byte("1", "EXACTLY", {"cookies": [{"matchPattern": {"includedCookies": ["b"]}, "matchScope": "VALUE"}]}),
        False,
    ),
    "a header that is not excluded": (
        byte("blue", "EXACTLY", {"headers": [{"matchPattern": {"excludedHeaders": ["host"]}, "matchScope": "VALUE"}]}),
        True,
    ),
    "an excluded header": (
        byte("blue", "EXACTLY", {"headers": [{"matchPattern": {"excludedHeaders": ["x-team"]}, "matchScope": "VALUE"}]}),
        False,
    ),
    "all arguments": (byte("A/B", "EXACTLY", {"allQueryArguments": {}}), True),
    "a field that is not modelled": (byte("x", field={"ja3Fingerprint": {}}), None),
    "the size of a header": (size(one_header("x-team"), "GE", 0), True),
    "the size of no header": (size(one_header("x-other"), "GE", 0), False),
    "the size of a path": (size(PATH, "GT", 100), False),
    "a regular expression": (
        {"regexMatchStatement": {"regexString": "^/api/[A-Z]", "fieldToMatch": PATH, "textTransformations": NONE}},
        True,
    ),
    "a broken regular expression": (
        {"regexMatchStatement": {"regexString": "(", "fieldToMatch": PATH, "textTransformations": NONE}},
        None,
    ),
    "and": ({"andStatement": {"statements": [YES, NO]}}, False),
    "or": ({"orStatement": {"statements": [NO, YES]}}, True),
    "not": ({"notStatement": {"statement": NO}}, True),
    "not what cannot be told": ({"notStatement": {"statement": {"geoMatchStatement": {"countryCodes": ["DE"]}}}}, None),
    "or with what cannot be told": ({"orStatement": {"statements": [{"geoMatchStatement": {}}, YES]}}, True),
    "and with what cannot be told": ({"andStatement": {"statements": [{"geoMatchStatement": {}}, NO]}}, False),
    "a rate that is not used up": ({"rateBasedStatement": {"limit": 10, "aggregateKeyType": "IP"}}, False),
    "a label": ({"labelMatchStatement": {"scope": "LABEL", "key": "path:upload"}}, True),
    "a namespace": ({"labelMatchStatement": {"scope": "NAMESPACE", "key": "path:"}}, True),
    "another label": ({"labelMatchStatement": {"scope": "LABEL", "key": "path:page"}}, False),
    "a search string that is not known": (byte("x") | {"byteMatchStatement": {"searchString": Unknown("x")}}, None),
    "no statement": ({}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_matches_as_documented(name: str) -> None:
    statement, expected = STATEMENTS[name]
    graph = compliant().graph()
    trail = Trail(GET, labels={"path:upload"})
    assert WebAcl(graph, graph.of_type("wafv2.WebAcl")[0]).matches(trail, "x", statement) is expected


BODIES: dict[str, tuple[int, Statement, bool]] = {
    "small": (100, size({"body": EMPTY}, "GT", 8191), False),
    "larger than the window, cut": (9000, size({"body": {"oversizeHandling": "CONTINUE"}}, "GT", 8192), False),
    "larger than the window, matched": (9000, size({"body": {"oversizeHandling": "MATCH"}}, "GT", 20000), True),
    "larger than the window, passed": (9000, size({"body": {"oversizeHandling": "NO_MATCH"}}, "GT", 1), False),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_seen_as_far_as_its_window(name: str) -> None:
    bytes_, statement, expected = BODIES[name]
    graph = compliant().graph()
    trail = Trail(Request("POST", "https://x.test/", body_bytes=bytes_))
    assert WebAcl(graph, graph.of_type("wafv2.WebAcl")[0]).matches(trail, "x", statement) is expected


@pytest.mark.parametrize("known", [True, False], ids=["known", "first preview"])
@pytest.mark.parametrize(("address", "expected"), [("198.51.100.0/24", True), ("10.0.0.0/8", False)])
def test_address_sets_are_looked_up(address: str, expected: bool, known: bool) -> None:
    stack = compliant()
    stack.add("wafv2.IpSet", "offices", addresses=[address])
    statement = {"ipSetReferenceStatement": {"arn": Ref("offices", "arn")}}
    stack["acl"]["rules"] = [{"name": "offices", "priority": 1, "action": {"block": {}}, "statement": statement}]
    outcome = ask(stack, known=known)
    assert (outcome.status == 403) is expected
    assert outcome.unknowns == ()


def ask(stack: Stack, request: Request = GET, *, known: bool = True) -> Outcome:
    return trace(stack.graph(known=known), request)


ACTIONS: dict[str, tuple[dict[str, Any], Result, int | None]] = {
    "block": ({"block": {}}, Result.ANSWERED, 403),
    "block with a status": ({"block": {"customResponse": {"responseCode": 429}}}, Result.ANSWERED, 429),
    "captcha": ({"captcha": {}}, Result.ANSWERED, 405),
    "count": ({"count": {}}, Result.ANSWERED, 401),
    "allow": ({"allow": {}}, Result.ANSWERED, 401),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_ends_the_request_or_lets_it_go_on(name: str) -> None:
    action, result, status = ACTIONS[name]
    stack = compliant()
    later: Statement = {"name": "later", "priority": 9, "action": {"block": {}}, "statement": NO}
    stack["acl"]["rules"] = [later, {"name": "first", "priority": 1, "action": action, "statement": YES}]
    outcome = ask(stack)
    assert (outcome.result, outcome.status) == (result, status)


def test_rules_run_by_priority_and_labels_reach_later_ones() -> None:
    stack = compliant()
    mark: Statement = {
        "name": "mark",
        "priority": 1,
        "action": {"count": {}},
        "statement": YES,
        "ruleLabels": [{"name": "seen"}],
    }
    label = {"labelMatchStatement": {"scope": "LABEL", "key": "seen"}}
    stack["acl"]["rules"] = [{"name": "marked", "priority": 2, "action": {"block": {}}, "statement": label}, mark]
    assert ask(stack).rule == "marked"


def test_what_cannot_be_told_leaves_the_outcome_not_proven() -> None:
    stack = compliant()
    geography = {"geoMatchStatement": {"countryCodes": ["DE"]}}
    stack["acl"]["rules"] = [{"name": "abroad", "priority": 1, "action": {"block": {}}, "statement": geography}]
    outcome = ask(stack)
    assert outcome.result is Result.NOT_PROVEN
    assert outcome.unknowns == ("wafv2.WebAcl acl.rules[0] (abroad)",)


def test_a_default_block_ends_what_no_rule_allows() -> None:
    stack = compliant()
    stack["acl"].inputs |= {"rules": [], "defaultAction": {"block": {}}}
    assert ask(stack).rule == "default action"


CONDITIONS: dict[str, tuple[dict[str, Any], bool | None]] = {
    "a host in any case": ({"hostHeader": {"values": ["CHAT.example.test"]}}, True),
    "a host with a star": ({"hostHeader": {"values": ["*.example.test"]}}, True),
    "another host": ({"hostHeader": {"values": ["example.test"]}}, False),
    "a path with a star": ({"pathPattern": {"values": ["/none", "/api/*"]}}, True),
    "a path in another case": ({"pathPattern": {"values": ["/API/*"]}}, False),
    "a path with a question mark": ({"pathPattern": {"values": ["/api/Cha?"]}}, True),
    "a method": ({"httpRequestMethod": {"values": ["POST", "GET"]}}, True),
    "a header in any case": ({"httpHeader": {"httpHeaderName": "X-TEAM", "values": ["BLUE"]}}, True),
    "a header that is not there": ({"httpHeader": {"httpHeaderName": "x-none", "values": ["*"]}}, False),
    "a query argument": ({"queryStrings": [{"key": "q", "value": "1"}]}, True),
    "a query value under any key": ({"queryStrings": [{"value": "a/b"}]}, True),
    "another query value": ({"queryStrings": [{"key": "q", "value": "2"}]}, False),
    "a source": ({"sourceIp": {"values": ["198.51.100.0/24"]}}, True),
    "another source": ({"sourceIp": {"values": ["10.0.0.0/8"]}}, False),
    "values that are not known": ({"pathPattern": {"values": Unknown("v")}}, None),
    "one value that is not known": ({"pathPattern": {"values": [Unknown("v"), "/none"]}}, None),
    "a kind that is not modelled": ({"moonPhase": {"values": ["full"]}}, None),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_holds_as_documented(name: str) -> None:
    condition, expected = CONDITIONS[name]
    assert condition_matches(GET, condition) is expected


def test_patterns_know_stars_question_marks_and_nothing_else() -> None:
    assert fits("/a*c", "/abbc")
    assert not fits("/a.c", "/abc")
    assert not fits("/a", "/a/b")


def test_transformations_run_by_priority() -> None:
    steps = [{"priority": 2, "type": "LOWERCASE"}, {"priority": 1, "type": "URL_DECODE"}]
    assert transformed("A%42", {"textTransformations": steps}) == "ab"


TOKEN = {"type": "jwt-validation", "order": 1, "jwtValidation": {
    "issuer": "https://login.test", "jwksEndpoint": "https://login.test/keys",
    "additionalClaims": [{"name": "aud", "format": "single-string", "values": ["models"]}],
}}  # fmt: skip
CALLERS: dict[str, tuple[Identity | None, int | None]] = {
    "the right token": (Identity({"iss": "https://login.test", "aud": "models"}, token=True), None),
    "another audience": (Identity({"iss": "https://login.test", "aud": "other"}, token=True), 401),
    "another issuer": (Identity({"iss": "https://evil.test", "aud": "models"}, token=True), 401),
    "a session instead of a token": (Identity({"iss": "https://login.test", "aud": "models"}), 401),
    "nobody": (None, 401),
}


@pytest.mark.parametrize("name", CALLERS)
def test_a_machine_client_needs_a_token_that_fits(name: str) -> None:
    identity, status = CALLERS[name]
    stack = compliant()
    stack["pages"]["actions"] = [TOKEN, forward()]
    outcome = ask(stack, Request("GET", "https://chat.example.test/", identity=identity))
    assert outcome.status == status
    assert (outcome.result is Result.SERVED) == (status is None)


def test_a_condition_that_is_not_known_leaves_the_outcome_not_proven() -> None:
    stack = compliant()
    stack["pages"]["conditions"] = UNKNOWN
    outcome = ask(stack)
    assert outcome.result is Result.NOT_PROVEN
    assert outcome.unknowns == ("lb.ListenerRule pages.conditions",)


def test_steps_name_resource_and_property() -> None:
    outcome = ask(compliant(), Request("GET", "https://chat.example.test/", identity=Identity({})))
    assert [str(step) for step in outcome.steps] == [
        "vpc.SecurityGroupIngressRule edge-in.cidrIpv4: admits 198.51.100.7 to port 443",
        "lb.Listener https.port: accepts https on port 443",
        "wafv2.WebAcl acl.defaultAction: no rule blocks",
        "lb.ListenerRule pages.conditions: matches chat.example.test/",
        "lb.ListenerRule pages.actions[0]: has a session",
        "lb.ListenerRule pages.actions[1]: forwards",
        "ecs.Service service: receives it",
    ]


@pytest.mark.parametrize(("scope", "status"), [(None, 429), (YES, 429), (NO, 401)])
def test_a_rate_rule_holds_for_its_scope_once_it_is_used_up(scope: Statement | None, status: int) -> None:
    stack = compliant()
    limited: Statement = {"limit": 100, "aggregateKeyType": "IP", "scopeDownStatement": scope}
    action = {"block": {"customResponse": {"responseCode": 429}}}
    stack["acl"]["rules"] = [
        {"name": "rate", "priority": 1, "action": action, "statement": {"rateBasedStatement": limited}}
    ]
    request = Request("GET", "https://chat.example.test/api/x", exceeds=frozenset({"rate"}))
    assert ask(stack, request).status == status
    assert ask(stack).status == 401


SESSION: Statement = {"cookie": {"name": "session-0"}}
TEAM: Statement = {"header": {"name": "x-team"}}
ADDRESS: Statement = {"ip": EMPTY}
CHAT_PAGE = Request("GET", "https://chat.example.test/api/x", exceeds=frozenset({"rate"}))


@pytest.mark.parametrize(
    ("keys", "request_", "counted"),
    [
        ([SESSION], CHAT_PAGE, False),
        ([SESSION], replace(CHAT_PAGE, cookies=(("session-0", "x"),)), True),
        ([SESSION], replace(CHAT_PAGE, identity=Identity({"email": "a@example.test"})), True),
        ([SESSION], replace(CHAT_PAGE, identity=Identity(token=True)), False),
        ([TEAM], CHAT_PAGE, False),
        ([TEAM, ADDRESS], replace(CHAT_PAGE, headers=(("X-Team", "blue"),)), True),
    ],
)
def test_a_request_that_lacks_what_a_rate_rule_counts_by_is_not_counted(
    keys: list[Statement], request_: Request, counted: bool
) -> None:
    stack = compliant()
    limited: Statement = {"limit": 100, "aggregateKeyType": "CUSTOM_KEYS", "customKeys": keys}
    stack["acl"]["rules"] = [
        {"name": "rate", "priority": 1, "action": {"block": {}}, "statement": {"rateBasedStatement": limited}}
    ]

    assert (ask(stack, request_).rule == "rate") is counted


@pytest.mark.parametrize("known", [True, False], ids=["known", "first preview"])
@pytest.mark.parametrize(("patterns", "status"), [(["^/none", "^/api/"], 403), (["^/none"], 401)])
def test_pattern_sets_are_looked_up(patterns: list[str], status: int, known: bool) -> None:
    stack = compliant()
    stack.add("wafv2.RegexPatternSet", "paths", regularExpressions=[{"regexString": text} for text in patterns])
    reference: Statement = {"arn": Ref("paths", "arn"), "fieldToMatch": PATH, "textTransformations": NONE}
    statement = {"regexPatternSetReferenceStatement": reference}
    stack["acl"]["rules"] = [{"name": "paths", "priority": 1, "action": {"block": {}}, "statement": statement}]
    outcome = ask(stack, known=known)
    assert outcome.status == status
    assert outcome.unknowns == ()


def test_a_set_of_another_stack_leaves_the_outcome_not_proven() -> None:
    stack = compliant()
    statement = {"ipSetReferenceStatement": {"arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/ipset/elsewhere/1"}}
    stack["acl"]["rules"] = [{"name": "elsewhere", "priority": 1, "action": {"block": {}}, "statement": statement}]
    assert ask(stack).result is Result.NOT_PROVEN
