"""A trace shows the deciding rule, the limits on the way and the headers that change; a team's own table runs as a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from preflight.analysis.edge_proxy import configuration, facts, rules_about_people
from preflight.analysis.tracing import Asked, request_of
from preflight.errors import ConfigurationError
from preflight.recording.recorder import Recording
from preflight.review import own_table, trace_text
from preflight.review.passage import HOP_BY_HOP, LOGGED_IN
from preflight.review.path_limits import size
from tests.preflight.changes.planning import running

UPLOAD = "/api/v1/files/"


@pytest.fixture(scope="module")
def staging() -> Recording:
    return running()


@pytest.fixture(scope="module")
def host(staging: Recording) -> str:
    return str(staging.outputs["url"])


def member(staging: Recording) -> tuple[str, ...]:
    claims = facts(configuration(staging)).admitted_claims()
    return tuple(f"{name}={value if isinstance(value, str) else ','.join(value)}" for name, value in claims.items())


def traced(staging: Recording, method: str, url: str, **asked: object) -> trace_text.TracedRequest:
    request = request_of(Asked(method, url, claims=member(staging), **asked))  # pyright: ignore[reportArgumentType] (fields by name)
    return trace_text.traced_request(staging, request)


def test_the_proxys_route_and_the_size_that_it_allows_are_named(staging: Recording, host: str) -> None:
    found = traced(staging, "POST", f"{host}{UPLOAD}", body="10MB")
    assert found.passage.route == "upload"
    most = facts(configuration(staging)).upload_bytes
    (upload,) = [one for one in found.passage.limits if one.what.startswith("upload ")]
    assert upload.value == f"at most {size(most)}; it has 10 MiB"
    assert not [one for one in found.passage.limits if one.what == "body"]
    assert "proxy: forwards it to the application, by route upload" in trace_text.as_text(found)


@pytest.mark.parametrize(
    ("method", "path", "asked", "route"),
    [
        ("GET", "/logout", {}, "logout"),
        ("GET", "/static/x.js", {}, "static"),
        ("GET", "/api/config", {}, "request"),
        ("GET", "/ws/socket.io/", {"headers": ("Connection:Upgrade", "Upgrade:websocket")}, "websocket"),
        ("POST", "/api/chat/completions", {"body": "1MB"}, "request"),
    ],
)
def test_the_route_is_the_first_one_that_matches(
    staging: Recording, method: str, path: str, asked: dict[str, object], route: str
) -> None:
    assert traced(staging, method, f"{staging.outputs['url']}{path}", **asked).passage.route == route


def test_a_request_that_ends_at_the_firewall_meets_no_limit_of_the_proxy(staging: Recording, host: str) -> None:
    found = traced(staging, "GET", f"{host}/", headers=("x-amzn-oidc-data:x",))
    assert found.passage.route == ""
    assert {one.place for one in found.passage.limits} <= {"firewall", "load balancer"}
    assert not [one for one in found.passage.headers if one.on == "request"]


def test_headers_of_one_connection_and_claimed_identities_are_removed(staging: Recording, host: str) -> None:
    proxy = facts(configuration(staging))
    names = (*HOP_BY_HOP[:3], *(name for name in proxy.stripped_headers if name.startswith("remote")))
    found = traced(staging, "GET", f"{host}/api/config", headers=tuple(f"{name}:x" for name in names))
    removed = {one.header for one in found.passage.headers if one.does == "removes"}
    assert {*names, *LOGGED_IN} <= removed


def test_a_websocket_keeps_the_headers_of_its_upgrade(staging: Recording, host: str) -> None:
    asked = {"headers": ("Connection:Upgrade", "Upgrade:websocket", "Keep-Alive:x")}
    found = traced(staging, "GET", f"{host}/ws/socket.io/", **asked)
    removed = {one.header for one in found.passage.headers if one.does == "removes"}
    assert "keep-alive" in removed
    assert not removed & {"connection", "upgrade"}


def test_the_identity_headers_are_those_that_the_proxy_writes(staging: Recording, host: str) -> None:
    people = rules_about_people(configuration(staging))
    shown = trace_text.as_text(traced(staging, "GET", f"{host}/api/config"))
    for key in ("email_header", "name_header", "role_header"):
        assert f"replaces {people[key]}: " in shown


def test_the_json_has_route_limits_and_headers(staging: Recording, host: str) -> None:
    content = json.loads(trace_text.as_json(traced(staging, "GET", f"{host}/api/config")))
    assert content["route"] == "request"
    assert content["limits"]
    assert {"station", "does", "header", "on"} == set(content["headers"][0])


# -- a table of one's own ------------------------------------------------------------------------------------------------


def table(folder: Path, text: str) -> Path:
    path = folder / "requests.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_whose_outcomes_are_as_expected_has_no_difference(staging: Recording, tmp_path: Path) -> None:
    most = facts(configuration(staging)).upload_bytes
    claims = json.dumps(facts(configuration(staging)).admitted_claims())
    path = table(
        tmp_path,
        f"""
requests:
  - {{path: /admin/users, expect: 302, by: edge-page}}
  - {{path: /api/config, expect: 401, by: edge-api}}
  - {{path: /api/config, claims: {claims}, expect: served}}
  - {{method: POST, path: {UPLOAD}, body: "{most}", claims: {claims}, expect: served}}
  - {{method: POST, path: {UPLOAD}, body: "{most + 1}", claims: {claims}, expect: 413, by: upload-too-large}}
  - {{url: "https://other.example.net/", expect: 404}}
""",
    )
    found = own_table.check(staging, path)
    assert [one.differs for one in found] == [""] * 6
    assert own_table.as_text(found) == "6 requests have their expected outcome\n"


def test_what_differs_is_named_with_its_trace(staging: Recording, tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "requests:\n  - {name: metrics, path: /metrics, expect: 200}\n  - {path: /admin, expect: 302, by: edge-api}\n",
    )
    text = own_table.as_text(own_table.check(staging, path))
    assert "request 1, metrics: expected 200, found 404 by edge-blocked-1" in text
    assert "responds with 404" in text
    assert "request 2, GET /admin: expected 302 by edge-api, found it by edge-page-" in text
    assert text.endswith("2 of 2 requests differ\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not readable YAML"),
        ("requests: {}", "has no list named requests"),
        ("requests: [x]", "request 1 is not a mapping"),
        (
            "requests: [{path: /, expect: 200, host: x}]",
            r"request 1 has an unknown key host; allowed are name: a text;",
        ),
        ("requests: [{expect: 200}]", "needs either path or url"),
        ("requests: [{path: /, url: 'https://x/', expect: 200}]", "needs either path or url"),
        ("requests: [{path: /, expect: fine}]", "expects fine: write a status such as 401, served or dropped"),
        ("requests: [{path: /}]", "expects nothing"),
        ("requests: [{path: x, expect: 200}]", "does not start with /"),
        ("requests: [{path: /, expect: 200, claims: [a]}]", "claims is not a mapping"),
    ],
)
def test_a_malformed_table_is_named_with_the_fix(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        own_table.read(table(tmp_path, text), "chat.example.com")
