"""Who gets in, as whom, and what a client cannot say about itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from local.claims import HEADER, encoded, token_header
from tests.proxy.gateway import ADMINISTRATOR, MEMBER, Gateway, header

if TYPE_CHECKING:
    from local.server import Server

TRUSTED = ("x-user-email", "x-user-name", "x-user-role")


def trusted(proxy: Gateway, claims: dict[str, Any]) -> dict[str, list[str]]:
    """Return the trusted headers that reach the application for these claims."""
    seen = proxy.arrived(claims=claims)
    return {name: header(seen, name) for name in TRUSTED}


def test_a_member_reaches_the_application_with_the_trusted_headers(proxy: Gateway) -> None:
    assert trusted(proxy, MEMBER) == {
        "x-user-email": ["ann@example.com"],
        "x-user-name": ["Ann Lee"],
        "x-user-role": ["user"],
    }


def test_an_administrator_has_the_administrator_role(proxy: Gateway) -> None:
    assert trusted(proxy, ADMINISTRATOR)["x-user-role"] == ["admin"]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"email": "ann@example.com"}, 200),
        ({"email": "ANN@EXAMPLE.COM"}, 200),
        ({"email": "guest@partner.test"}, 200),
        ({"email": "other@partner.test"}, 403),
        ({"email": "ann@sub.example.com"}, 403),
        ({"email": "ann@example.com.evil.test"}, 403),
        ({"email": "ann@notexample.com"}, 403),
        ({"email": "x@outside.test", "groups": "ai-users"}, 200),
        ({"email": "x@outside.test", "groups": ["staff", "ai guests"]}, 200),
        ({"email": "x@outside.test", "groups": ["staff"]}, 403),
        ({"email": "x@outside.test", "groups": "ai-users ai-guests"}, 403),
        ({"email": "x@outside.test", "groups": ["AI-USERS", 7, None, ["ai-users"], {"a": "ai-users"}]}, 403),
        ({"email": "x@outside.test", "groups": {"ai-users": "ai-users"}}, 403),
        ({"email": "x@outside.test", "groups": {"0": "ai-users", "1": "ai-users"}}, 403),
        ({"email": "x@outside.test", "groups": True}, 403),
        ({"email": "x@outside.test"}, 403),
        ({"email": "ann@example.com", "email_verified": True}, 200),
        ({"email": "ann@example.com", "email_verified": False}, 403),
        ({"email": "ann@example.com", "email_verified": "true"}, 200),
        ({"email": "ann@example.com", "email_verified": None}, 200),
        ({"email": "ann@example.com", "email_verified": "false"}, 403),
        ({"email": "ann@example.com", "email_verified": "False"}, 403),
        ({"email": "ann@example.com", "email_verified": "no"}, 403),
        ({"email": "ann@example.com", "email_verified": ""}, 403),
        ({"email": "ann@example.com", "email_verified": 0}, 403),
        ({"email": "ann@example.com", "email_verified": 1}, 403),
        ({"email": "ann@example.com", "email_verified": []}, 403),
        ({"email": "x@outside.test", "groups": [None, "ai-users"]}, 200),
        ({"email": None}, 403),
        ({}, 403),
        ({"email": ""}, 401),
    ],
    ids=repr,
)
def test_only_the_allowed_get_in(proxy: Gateway, claims: dict[str, Any], status: int) -> None:
    assert proxy.send("GET", "/", claims=claims).status == status


def test_an_administrator_who_is_not_allowed_does_not_get_in(proxy: Gateway) -> None:
    assert proxy.send("GET", "/", claims={"email": "stranger@outside.test"}).status == 403


def test_the_403_page_names_whom_to_ask_and_is_not_stored(proxy: Gateway) -> None:
    answer = proxy.send("GET", "/", claims={"email": "x@outside.test"})
    assert b"ai-platform@example.com" in answer.body
    assert answer.value("content-type") == "text/html; charset=utf-8"
    assert answer.value("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Ann Lee", "Ann Lee"),
        ("Zoë 李 🎉", "Zo%C3%AB %E6%9D%8E %F0%9F%8E%89"),
        ("100% Ann", "100%25 Ann"),
        ("", "ann@example.com"),
        ("   ", "ann@example.com"),
        (None, "ann@example.com"),
        ('"Ann" <a@b>, C', '"Ann" <a@b>, C'),
        ("x" * 256, "x" * 256),
    ],
    ids=repr,
)
def test_the_name_arrives_percent_encoded_where_it_is_not_printable_ascii(
    proxy: Gateway, name: str | None, sent: str
) -> None:
    assert trusted(proxy, {**MEMBER, "name": name})["x-user-name"] == [sent]


@pytest.mark.parametrize(
    "spoofed",
    [
        "x-user-email",
        "X-User-Email",
        "X-USER-ROLE",
        "x-user-name",
        "x.user.email",
        "x-user.email",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-prefix",
        "x-forwarded-preferred-username",
        "x-forwarded-server",
        "x-forwarded-protocol",
        "x-forwarded-for-original",
        "x-forwarded-port-original",
        "x-forwarded-path",
        "x-forwarded-from",
        "remote-user",
        "x-remote-user",
        "x-original-url",
        "x-rewrite-url",
        "x-envoy-original-path",
        "x-envoy-upstream-rq-timeout-ms",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-real-ip",
        "x-request-framing",
        "x-forwarded-host",
        "forwarded",
        "x-amzn.oidc-data",
    ],
)
def test_a_client_sent_copy_of_a_trusted_header_is_removed(proxy: Gateway, spoofed: str) -> None:
    twice = [(spoofed, "root@example.com"), (spoofed, "root@example.com")]
    seen = proxy.arrived("GET", "/", twice)
    assert "root@example.com" not in [value for _, value in seen["headers"]]
    assert header(seen, "x-user-email") == ["ann@example.com"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
        ("x-requested-with", "XMLHttpRequest"),
        ("x-csrf-token", "root@example.com"),
        ("origin", "https://chat.example.com"),
    ],
)
def test_what_the_load_balancer_and_pages_send_stays(proxy: Gateway, name: str, value: str) -> None:
    assert header(proxy.arrived("GET", "/", [(name, value)]), name) == [value]


@pytest.mark.parametrize("name", ["x_user_email", "X_User_Role", "x-user_email", "x_amzn_oidc_data"])
def test_a_header_with_an_underscore_is_refused(proxy: Gateway, server: Server, name: str) -> None:
    before = len(server.received)
    assert proxy.send("GET", "/", [(name, "root@example.com")]).status == 400
    assert len(server.received) == before


@pytest.mark.parametrize("named", ["x-user-email", "X-User-Role, x-user-name", "close, x-user-email"])
def test_naming_a_trusted_header_as_the_connections_own_does_not_remove_it(proxy: Gateway, named: str) -> None:
    seen = proxy.arrived("GET", "/", [("connection", named)])
    assert [header(seen, name) for name in TRUSTED] == [["ann@example.com"], ["Ann Lee"], ["user"]]


def test_naming_the_claims_as_the_connections_own_is_nobody(proxy: Gateway) -> None:
    assert proxy.send("GET", "/", [("connection", HEADER)]).status == 401


@pytest.mark.parametrize(
    "line",
    [
        "x-user-email : root@example.com",
        "x-user-email\x00: root@example.com",
        "x-user-email\xa0: root@example.com",
        "a: b\r\n x-user-email: root@example.com",
        "a: b\n x-user-email: root@example.com",
        "a: b\rx-user-email: root@example.com",
    ],
    ids=repr,
)
def test_no_way_to_write_a_line_makes_it_a_trusted_header(proxy: Gateway, server: Server, line: str) -> None:
    before = len(server.received)
    name, _, value = line.partition(": ")
    answer = proxy.send("GET", "/", [(name, value)])
    emails = [one.values("x-user-email") for one in server.received[before:]]
    assert (answer.status, emails) in [(400, []), (200, [["ann@example.com"]])]


def test_a_trusted_header_without_claims_gets_no_one_in(proxy: Gateway) -> None:
    spoofed = [("x-user-email", "root@example.com"), ("x-user-role", "admin"), ("x-amzn-oidc-identity", "2")]
    assert proxy.send("GET", "/", spoofed, claims=None).status == 401


def test_the_application_gets_none_of_the_edges_tokens(proxy: Gateway) -> None:
    seen = proxy.arrived("GET", "/", [("x-amzn-oidc-accesstoken", "secret"), ("x-amzn-oidc-identity", "1")])
    assert [name for name, _ in seen["headers"] if name.startswith("x-amzn-oidc")] == []


def test_two_tokens_are_nobody(proxy: Gateway) -> None:
    tokens = [(HEADER, proxy.token(MEMBER)), (HEADER, proxy.token(ADMINISTRATOR))]
    assert proxy.send("GET", "/", tokens, claims=None).status == 401
    assert proxy.send("GET", "/", [(HEADER, ",".join(value for _, value in tokens))], claims=None).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"signer": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/other/50dc6c495c0c9188"},
        {"signer": None},
        {"signer": ["x"]},
        {"client": "another"},
        {"iss": "https://login.example.com/other"},
        {"alg": "none"},
        {"alg": "HS256"},
        # A constant: every worker has to collect the same name.
        {"exp": 1_700_000_000},
        {"exp": "4102444800"},
        {"exp": None},
        {"exp": float("nan")},
    ],
    ids=repr,
)
def test_a_token_of_another_signer_client_issuer_or_time_is_nobody(proxy: Gateway, change: dict[str, Any]) -> None:
    assert proxy.send("GET", "/", [(HEADER, proxy.token(MEMBER, **change))], claims=None).status == 401


def test_a_token_is_not_remembered_beyond_its_expiry(proxy: Gateway) -> None:
    nearly = proxy.token(MEMBER, exp=int(time.time()) - 58)
    assert proxy.send("GET", "/", [(HEADER, nearly)], claims=None).status == 200
    time.sleep(3.1)
    assert proxy.send("GET", "/", [(HEADER, nearly)], claims=None).status == 401


@pytest.mark.parametrize("padded", [True, False])
def test_base64_is_read_with_and_without_padding(proxy: Gateway, padded: bool) -> None:
    parts = [encoded(token_header(proxy.settings.identity)), encoded(MEMBER), "A" * 86 + "=="]
    token = ".".join(part if padded else part.rstrip("=") for part in parts)
    assert proxy.send("GET", "/", [(HEADER, token)], claims=None).status == 200


def test_health_is_answered_for_an_address_as_host_and_nothing_else_is(proxy: Gateway) -> None:
    assert proxy.send("GET", "/health", claims=None, host="10.20.1.7:8443").status == 200
    answer = proxy.send("GET", "/health", claims=None)
    assert (answer.status, answer.value("www-authenticate")) == (401, "Bearer")
    assert proxy.send("POST", "/health", claims=None, host="10.20.1.7:8443").status == 404
    assert proxy.send("GET", "/health", body=b"x", claims=None, host="10.20.1.7:8443").status == 404
    chunked = [("transfer-encoding", "chunked")]
    assert proxy.send("GET", "/health", chunked, b"0\r\n\r\n", claims=None, host="10.20.1.7:8443").status == 404
    assert proxy.send("GET", "/health/../", claims=None, host="10.20.1.7:8443").status == 404
    assert proxy.send("GET", "/", host="other.example.com").status == 404
    assert proxy.send("GET", "/", host="chat.example.com:443").status == 200
    assert proxy.send("GET", "/", host="CHAT.example.com").status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("path", ["/logout", "//logout", "/%6cogout?x=1"])
def test_logout_is_the_proxys_whatever_the_method(proxy: Gateway, server: Server, method: str, path: str) -> None:
    before = len(server.received)
    answer = proxy.send(method, path, [("content-length", "0")] if method == "POST" else [], claims=None)
    assert (answer.status, len(server.received)) == (302, before)


def test_logout_clears_every_session_and_goes_to_the_identity_provider(proxy: Gateway) -> None:
    answer = proxy.send("GET", "/logout?next=https://evil.test", claims=None)
    assert answer.status == 302
    assert answer.value("location") == "https://login.example.com/logout?client_id=interface&x=100%25"
    names = ["AWSELBAuthSessionCookie", *(f"AWSELBAuthSessionCookie-{n}" for n in range(4)), "token"]
    assert answer.values("set-cookie") == [f"{name}=; Max-Age=0; Path=/; Secure; HttpOnly" for name in names]
    assert answer.value("clear-site-data") == '"storage"'
    assert answer.value("content-type") == "text/html; charset=utf-8"
    assert answer.value("cache-control") == "no-store"


def test_the_request_id_is_the_load_balancers_trace(proxy: Gateway) -> None:
    seen = proxy.arrived(
        "GET", "/", [("x-request-id", "forged"), ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678")]
    )
    assert header(seen, "x-request-id") == ["Root=1-67891233-abcdef012345678912345678"]
    longer = "Self=1-67891234-12456789abcdef0123456789;Root=1-67891233-abcdef012345678912345678;secret=x"
    seen = proxy.arrived("GET", "/", [("x-amzn-trace-id", longer)])
    assert header(seen, "x-request-id") == ["Self=1-67891234-12456789abcdef0123456789"]
    (generated,) = header(proxy.arrived("GET", "/", [("x-request-id", "forged")]), "x-request-id")
    assert generated != "forged"
    assert len(generated) == 36
