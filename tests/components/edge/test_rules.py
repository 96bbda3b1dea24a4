"""The edge's table: order, chunks of at most five values, and that every forward authenticates."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.applications.presets.open_webui import PATHS, PRESET
from components.edge.rules import (
    CONDITION_VALUES,
    HIGHEST_PRIORITY,
    RULE_WILDCARDS,
    EdgeRule,
    Lane,
    edge_rules,
)
from components.proxy.settings import ProxyLogout

segments = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=20)
endings = st.sampled_from(["", "/*", "-??.png", "*/a*/b*", "/*-?*-?*"])
paths = st.lists(st.tuples(segments, endings).map(lambda parts: f"/{''.join(parts)}"), min_size=1, max_size=40)
host_lists = st.lists(segments.map(lambda text: f"{text}.example.com"), min_size=1, max_size=4, unique=True)


def open_webui(*, machine: bool = False) -> tuple[EdgeRule, ...]:
    return edge_rules(
        ["chat.example.com"],
        blocked=PATHS.blocked,
        api=PATHS.api,
        pages=PATHS.pages,
        machine_host="models.example.com" if machine else None,
        machine_paths=["/standard/v1/*"] if machine else (),
    )


def first_match(rules: tuple[EdgeRule, ...], host: str, path: str) -> Lane | None:
    """As an ALB decides: the first rule by priority of which a host and a path fit."""

    def fits(pattern: str) -> bool:
        return fnmatchcase(path, pattern)

    for rule in sorted(rules, key=lambda rule: rule.priority):
        if host in rule.hosts and any(fits(pattern) for pattern in rule.paths):
            return rule.lane
    return None


@given(host_lists, paths, paths, paths)
def test_no_rule_has_more_condition_values_or_wildcards_than_an_alb_takes(
    hosts: list[str], blocked: list[str], api: list[str], pages: list[str]
) -> None:
    for rule in edge_rules(hosts, blocked=blocked, api=api, pages=pages):
        assert len(rule.hosts) + len(rule.paths) <= CONDITION_VALUES
        assert sum(value.count("*") + value.count("?") for value in (*rule.hosts, *rule.paths)) <= RULE_WILDCARDS
        assert rule.paths


@given(host_lists, paths, paths, paths)
def test_every_path_is_in_its_lane_exactly_once(
    hosts: list[str], blocked: list[str], api: list[str], pages: list[str]
) -> None:
    rules = edge_rules(hosts, blocked=blocked, api=api, pages=pages)

    for lane, given_paths in ((Lane.BLOCKED, blocked), (Lane.API, api), (Lane.PAGE, pages)):
        placed = [path for rule in rules if rule.lane is lane for path in rule.paths if path in given_paths]
        assert placed == list(dict.fromkeys(given_paths))


@given(host_lists, paths, paths, paths)
def test_blocked_paths_are_judged_before_every_other_rule(
    hosts: list[str], blocked: list[str], api: list[str], pages: list[str]
) -> None:
    rules = edge_rules(hosts, blocked=blocked, api=api, pages=pages, machine_host="m.test", machine_paths=["/m/*"])
    priorities = [rule.priority for rule in rules]

    assert priorities == sorted(set(priorities))
    assert 1 <= min(priorities) <= max(priorities) <= HIGHEST_PRIORITY
    assert max(r.priority for r in rules if r.lane is Lane.BLOCKED) < min(
        r.priority for r in rules if r.lane is not Lane.BLOCKED
    )


@given(paths, segments)
def test_a_path_appended_changes_the_last_rule_of_its_lane_only(api: list[str], added: str) -> None:
    before = edge_rules(["h.test"], blocked=["/b"], api=api, pages=["/"])
    after = edge_rules(["h.test"], blocked=["/b"], api=[*api, f"/added-{added}"], pages=["/"])
    lane = [rule for rule in before if rule.lane is Lane.API]

    assert set(before) - set(after) <= {lane[-1]}


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/", Lane.PAGE),
        ("/oauth2/idpresponse", Lane.PAGE),
        ("/c/0b5e", Lane.PAGE),
        ("/logout", Lane.PAGE),
        ("/admin/settings", Lane.PAGE),
        ("/api/chat/completions", Lane.API),
        ("/api/v1/files/", Lane.API),
        ("/ws/socket.io/", Lane.API),
        ("/_app/version.json", Lane.API),
        ("/marker-icon-2x.png", Lane.API),
        ("/calendar", Lane.PAGE),
        ("/auth", Lane.PAGE),
        ("/oauth/microsoft/login", Lane.BLOCKED),
        ("/health", Lane.BLOCKED),
        ("/health/db", Lane.BLOCKED),
        ("/metrics", Lane.BLOCKED),
        ("/docs", Lane.BLOCKED),
        ("/openapi.json", Lane.BLOCKED),
        ("/ollama/api/tags", Lane.BLOCKED),
        ("/api/v1/utils/db/download", Lane.BLOCKED),
        ("/%61pi/chat", None),
        ("//api/chat", None),
        ("/API/chat", None),
        ("/.env", None),
        ("/server-status", None),
    ],
)
def test_open_webui_s_paths_are_in_the_lanes_that_a_browser_needs(path: str, lane: Lane | None) -> None:
    assert first_match(open_webui(), "chat.example.com", path) is lane


def test_the_lanes_agree_with_what_the_proxy_does_behind_them() -> None:
    preset = PRESET.proxy

    assert set(preset.upload_path_prefixes) == set(PATHS.uploads)
    for prefix in (*preset.upload_path_prefixes, *preset.websocket_path_prefixes, *preset.cacheable_path_prefixes):
        assert first_match(open_webui(), "chat.example.com", prefix) is Lane.API
    assert first_match(open_webui(), "chat.example.com", preset.health_path) is Lane.BLOCKED
    assert first_match(open_webui(), "chat.example.com", ProxyLogout().path) is Lane.PAGE


def test_an_undeclared_host_matches_nothing() -> None:
    assert first_match(open_webui(machine=True), "10.20.224.5", "/") is None


def test_machine_clients_reach_the_model_paths_on_their_own_host_and_nothing_else() -> None:
    rules = open_webui(machine=True)

    assert first_match(rules, "models.example.com", "/standard/v1/chat/completions") is Lane.MACHINE
    assert first_match(rules, "models.example.com", "/") is None
    assert first_match(rules, "models.example.com", "/api/chat/completions") is None
    assert first_match(rules, "chat.example.com", "/standard/v1/chat/completions") is None


def test_without_machine_clients_no_rule_is_for_them() -> None:
    assert Lane.MACHINE not in {rule.lane for rule in open_webui()}


@pytest.mark.parametrize(
    ("hosts", "api", "machine_host", "message"),
    [
        (["a.test"], ["/*"], None, "would offer every path"),
        (["a.test"], ["api/*"], None, "starts with /"),
        (["a.test"], ["/a b"], None, "without spaces"),
        (["a.test"], ["/" + "a" * 128], None, "at most 128 characters"),
        (["a.test"], ["/a*/b*/c*/d?/e?/f?"], None, "with 6 wildcards: one rule accepts at most 5"),
        ([], ["/api/*"], None, "0 host names are given"),
        (["a", "b", "c", "d", "e"], ["/api/*"], None, "5 host names are given"),
        (["a.test"], [f"/{n}/*" for n in range(400)], None, "a load balancer accepts 100"),
        (["a.test"], ["/api/*"], "a.test", "give them a separate host name"),
    ],
)
def test_a_table_that_would_offer_too_much_is_refused(
    hosts: list[str], api: list[str], machine_host: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        edge_rules(hosts, blocked=[], api=api, pages=["/"], machine_host=machine_host, machine_paths=["/m/*"])
