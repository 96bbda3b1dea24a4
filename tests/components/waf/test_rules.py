"""The firewall's table: numbers as text, priorities, capacity, and indifference to the order of lines."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.applications.presets.open_webui import PATHS
from components.waf.lengths import WELL_FORMED_LENGTH, number_above, readable_size
from components.waf.rules import AMBIGUOUS_PATH, Application, Limits, firewall_rules
from components.waf.statements import (
    LOWERCASE,
    URI_PATH,
    both,
    capacity,
    either,
    equals,
    header,
    labelled,
    longer_than,
    managed_group,
    matches,
    more_often_than,
    negated,
    starts_with,
)
from components.waf.table import CAPACITY_IN_BASE_PRICE, LONGEST_REGEX, Action, Rule, check_table, observe
from preflight.sdk.wire import Json

LIMITS = Limits(
    prompt_bytes=2 * 1024 * 1024,
    upload_bytes=50 * 1024 * 1024,
    cookie_bytes=16_384,
    header_bytes=32_768,
    query_bytes=4096,
    uri_bytes=2048,
    pages_per_window=3000,
    uploads_per_window=100,
    model_calls_per_window=300,
    address_pages_per_window=30_000,
    address_uploads_per_window=1000,
    address_model_calls_per_window=6000,
    address_static_per_window=60_000,
)
APPLICATION = Application(
    upload_paths=PATHS.uploads,
    model_call_paths=PATHS.model_calls,
    prompt_paths=PATHS.prompts,
    fixed_body_paths=PATHS.fixed_bodies,
    query_paths=PATHS.queries,
    static_paths=PATHS.static,
    methods=("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
    trusted_headers=("x-user-email", "x-amzn-oidc-data"),
    session_cookie="AWSELBAuthSessionCookie",
)
TABLE = firewall_rules(LIMITS, APPLICATION)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_number_matches_exactly_when_it_is_above_the_limit(limit: int, number: int) -> None:
    assert bool(re.search(number_above(limit), str(number))) is (number > limit)


@given(st.integers(0, 10**12), st.integers(-2, 2), st.integers(0, 3))
def test_it_is_exact_at_the_limit_and_indifferent_to_leading_zeros(limit: int, step: int, zeros: int) -> None:
    number = max(0, limit + step)

    assert bool(re.search(number_above(limit), "0" * zeros + str(number))) is (number > limit)


@given(st.integers(0, 10**12), st.text(max_size=20))
def test_what_is_not_a_number_is_never_above_and_never_well_formed(limit: int, text: str) -> None:
    if text and not re.fullmatch("[0-9]+", text, re.ASCII):
        assert not re.search(number_above(limit), text)
        assert not re.fullmatch(WELL_FORMED_LENGTH.removesuffix("$").removeprefix("^"), text)


@given(st.integers(0, 999_999_999))
def test_the_regex_is_short_enough_for_aws_up_to_a_gigabyte(limit: int) -> None:
    assert len(number_above(limit)) <= LONGEST_REGEX == 200


def test_sizes_are_written_for_people() -> None:
    assert [readable_size(n) for n in (2 * 1024 * 1024, 1024 * 1024 + 1, 4096)] == [
        "2 MiB",
        "1048577 bytes",
        "4096 bytes",
    ]


def _priorities(*keys: str) -> list[int]:
    return [rule.priority for rule in TABLE if rule.key.startswith(keys)]


def test_a_blocked_request_is_answered_as_a_client_s_error() -> None:
    blocking = [rule for rule in TABLE if rule.action is Action.BLOCK]

    assert blocking
    assert [rule.key for rule in blocking if not 400 <= rule.status < 500] == []
    assert {rule.status for rule in blocking if "rate_based_statement" in rule.statement} == {429}
    assert {rule.status for rule in blocking if rule.key in ("upload-too-large", "body-too-large")} == {413}
    assert {rule.status for rule in blocking if rule.key in ("query-too-large", "path-too-long")} == {414}


def test_marks_come_before_what_reads_them_and_cheap_refusals_before_managed_groups() -> None:
    managed = [rule.priority for rule in TABLE if rule.is_group]

    assert max(_priorities("ambiguous-path", "method", "forged-identity")) < min(_priorities("mark-"))
    assert max(_priorities("mark-")) < min(_priorities("upload-too-large", "body-too-large", "rate-"))
    assert max(_priorities("rate-")) < min(managed)
    assert max(managed) < min(_priorities("log4j-body", "scripting-body"))


def test_every_rule_says_why_it_is_there() -> None:
    assert [rule.key for rule in TABLE if len(rule.reason) < 15] == []


@given(st.randoms(use_true_random=False))
def test_moving_path_lists_and_names_around_changes_nothing(random: Random) -> None:
    def shuffled(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(random.sample(values, len(values)))

    assert (
        firewall_rules(
            LIMITS,
            Application(
                upload_paths=shuffled(APPLICATION.upload_paths),
                model_call_paths=shuffled(APPLICATION.model_call_paths),
                prompt_paths=shuffled(APPLICATION.prompt_paths),
                fixed_body_paths=shuffled(APPLICATION.fixed_body_paths),
                query_paths=shuffled(APPLICATION.query_paths),
                static_paths=shuffled(APPLICATION.static_paths),
                methods=shuffled(APPLICATION.methods),
                trusted_headers=shuffled(APPLICATION.trusted_headers),
                session_cookie=APPLICATION.session_cookie,
            ),
        )
        == TABLE
    )


def test_rules_come_in_the_order_of_their_priorities_and_leave_room_between() -> None:
    close = [(a.key, b.key) for a, b in pairwise(TABLE) if b.priority - a.priority < 10]
    assert close == [], "give the new rule a priority at least 10 away from its neighbours"


def test_labels_are_put_on_before_a_rule_asks_for_them() -> None:
    given_at = {label: rule.priority for rule in TABLE for label in rule.labels}
    asked = [(rule.priority, label) for rule in TABLE for label in _labels_asked_for(rule.statement)]

    assert {label for _, label in asked if not label.startswith("awswaf:")} <= set(given_at)
    assert all(given_at[label] < priority for priority, label in asked if not label.startswith("awswaf:"))
    assert all(priority > 720 for priority, label in asked if label.startswith("awswaf:"))


def _labels_asked_for(node: Json) -> list[str]:
    """As the text of the statement shows them, however deep."""
    return re.findall(r'"label_match_statement": {"scope": "LABEL", "key": "([^"]+)"}', json.dumps(node))


prefixes = st.lists(st.from_regex("/[a-z]{1,3}/", fullmatch=True), min_size=1, max_size=30).map(tuple)


@given(prefixes, prefixes, prefixes, st.sets(st.sampled_from(["a", "b", "C"])), st.randoms(use_true_random=False))
def test_whatever_the_application_the_table_is_in_order_and_costs_what_its_paths_cost(
    uploads: tuple[str, ...], calls: tuple[str, ...], prompts: tuple[str, ...], headers: set[str], random: Random
) -> None:
    def table(shuffled: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[Rule, ...]:
        lists = (shuffled(uploads), shuffled(calls), shuffled(prompts))
        return firewall_rules(
            LIMITS,
            Application(
                *lists,
                fixed_body_paths=(),
                query_paths=(),
                static_paths=(),
                methods=("GET",),
                trusted_headers=tuple(headers),
                session_cookie="s",
            ),
        )

    rules = table(lambda paths: paths)
    small = firewall_rules(LIMITS, Application(("/a/",), ("/b/",), (), (), (), (), ("GET",), (), "s"))
    fixed = check_table(small, 5000) - 2 * (1 + 1 + 2)
    priorities = [rule.priority for rule in rules]
    marked = len(set(uploads)) + len(set(calls)) + len({*uploads, *calls, *prompts})

    assert priorities == sorted(set(priorities))
    assert [rule.key for rule in rules] == list(dict.fromkeys(rule.key for rule in small))
    assert check_table(rules, 5000) == fixed + 2 * marked + len(headers)
    assert table(lambda paths: tuple(random.sample(paths, len(paths)))) == rules


@pytest.mark.parametrize("missing", ["upload", "model_call", "static"])
def test_an_application_without_a_class_of_paths_has_no_rule_about_it(missing: str) -> None:
    rules = {rule.key: rule for rule in firewall_rules(LIMITS, replace(APPLICATION, **{f"{missing}_paths": ()}))}
    kind = {"upload": "uploads", "model_call": "model-calls", "static": "static"}[missing]
    label = f"path:{missing.replace('_', '-')}"

    assert not {f"mark-{missing.replace('_', '-')}", f"rate-{kind}-address", f"rate-{kind}-session"} & set(rules)
    assert ("upload-too-large" in rules) is (missing != "upload")
    assert {"body-too-large", "rate-pages-address", "rate-pages-session", "mark-free-text"} <= set(rules)
    assert label not in str([rule.statement for rule in rules.values()])
    check_table(tuple(rules.values()), CAPACITY_IN_BASE_PRICE)


def test_the_whole_table_is_within_the_base_price() -> None:
    assert check_table(TABLE, CAPACITY_IN_BASE_PRICE) == sum(capacity(rule.statement) for rule in TABLE)


@pytest.mark.parametrize(
    ("statement", "units"),
    [
        (longer_than(header("cookie"), 1), 1),
        (labelled("a"), 1),
        (equals(URI_PATH, "/a"), 2),
        (starts_with(URI_PATH, "/a", LOWERCASE), 12),
        (matches(URI_PATH, "a"), 3),
        (both(equals(URI_PATH, "/a"), negated(labelled("b"))), 3),
        (either(equals(URI_PATH, "/a"), equals(URI_PATH, "/b")), 4),
        (more_often_than(10, window_seconds=300), 2),
        (more_often_than(10, window_seconds=300, of=labelled("a")), 3),
        (more_often_than(10, window_seconds=300, cookie="c", of=labelled("a")), 33),
        (managed_group("AWSManagedRulesCommonRuleSet", []), 700),
    ],
)
def test_a_statement_costs_what_aws_s_tables_say(statement: dict[str, object], units: int) -> None:
    assert capacity(statement) == units


def test_an_unknown_statement_is_never_free() -> None:
    with pytest.raises(KeyError):
        capacity({"geo_match_statement": {"country_codes": ["NO"]}})


def test_a_rule_can_be_watched_before_it_blocks() -> None:
    observed = observe(TABLE, ["path-too-long"])

    assert {rule.key for rule in observed if rule.action is Action.COUNT} - {
        rule.key for rule in TABLE if rule.action is Action.COUNT
    } == {"path-too-long"}
    assert [rule.key for rule in observed] == [rule.key for rule in TABLE]


@given(st.sets(st.sampled_from([rule.key for rule in TABLE])))
def test_any_set_of_rules_can_be_watched_without_touching_the_others(keys: set[str]) -> None:
    for before, after in zip(TABLE, observe(TABLE, keys), strict=True):
        assert after.action is (Action.COUNT if before.key in keys else before.action)
        assert (after.key, after.priority, after.statement) == (before.key, before.priority, before.statement)


def test_a_switch_for_a_rule_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="count_only_rules contains unknown rules: path-to-long"):
        observe(TABLE, ["path-to-long"])


@pytest.mark.parametrize(
    ("rules", "limit", "message"),
    [
        (TABLE, 1000, f"need {check_table(TABLE, 5000)} capacity units, but 1000 are allowed"),
        ((TABLE[0], TABLE[0]), 5000, "the same priority"),
        ((Rule("a", 1, labelled("x"), Action.COUNT), Rule("a", 2, labelled("x"), Action.COUNT)), 5000, "the same key"),
        ((Rule("a", 1, matches(URI_PATH, "x" * 201), Action.COUNT),), 5000, "AWS accepts 1 to 200"),
        ((Rule("a", 1, equals(URI_PATH, "x" * 201), Action.COUNT),), 5000, "has 201 characters"),
    ],
)
def test_a_table_that_aws_would_refuse_is_refused_first(rules: tuple[Rule, ...], limit: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_table(rules, limit)


@pytest.mark.parametrize(
    "path",
    [
        "//api",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/%2e%2e/",
        "/%61pi",
        "/a%2Fb",
        "/a%2fb",
        "/a%5cb",
        "/a\\b",
        "/%00",
        "/%7e",
        "/%30",
        "/%252e",
        "/%2d",
    ],
)
def test_other_spellings_of_a_path_are_ambiguous(path: str) -> None:
    assert re.search(AMBIGUOUS_PATH, path)


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/files/", "/c/7d9f-4", "/a%20b", "/caf%C3%A9", "/a.b/c..d", "/_app/immutable/x.js", "/a/.well-known"],
)
def test_ordinary_paths_are_not(path: str) -> None:
    assert not re.search(AMBIGUOUS_PATH, path)
