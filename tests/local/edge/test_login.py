"""The authorization code flow, sessions, and what the target gets; then everything that a login has to refuse."""

from __future__ import annotations

import base64
import dataclasses
import json
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from local.edge.browser import Browser, Response
from local.edge.claims import ADDED, CLAIMS
from local.edge.sessions import SESSION_BYTES
from local.identity import People
from local.stack import Resource, Stack
from tests.local.edge.declared import logins, values
from tests.local.edge.world import RULE, World, world


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part)


def _login(stack: Stack) -> dict[str, Any]:
    """The login of the rule that answers ``/``."""
    return logins(_page_rule(stack))[0]


def _page_rule(stack: Stack) -> Resource:
    return next(rule for rule in stack.all(RULE) if "/" in values(rule, "pathPattern"))


def _with(stack: Stack, **changes: object) -> Stack:
    """The stack with another configuration of the login on ``/``."""
    rule = _page_rule(stack)
    actions = [
        {**action, "authenticateOidc": {**action["authenticateOidc"], **changes}}
        if "authenticateOidc" in action
        else action
        for action in rule["actions"]
    ]
    return stack.changed(rule, actions=actions)


def _callback(made: World, browser: Browser, subject: str = "") -> str:
    """The URL to which the provider sends someone back, not opened yet."""
    form = browser.get(made.url("/"))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    fields = {"sub": subject or made.people.member.subject}
    response = browser.request("POST", form.url, headers, urlencode(fields).encode())
    assert response.status == 302, response.text
    return str(response.headers["location"])


def test_a_login_leads_back_to_the_page_that_was_asked_for(edge: World) -> None:
    """With its query, for every person: whom the interface admits is not the load balancer's decision."""
    for person in edge.people:
        response = edge.browser().login(person.subject, edge.url("/c/1?model=a%20b"))
        assert (response.status, response.url) == (200, edge.url("/c/1?model=a%20b"))
        assert dict(json.loads(response.body)["headers"])["x-amzn-oidc-identity"] == person.subject
    assert edge.balancer_sum("ELBAuthSuccess") == 3
    assert edge.balancer_sum("ELBAuthLatency") > 0
    assert not edge.refusals.entries


def test_the_target_gets_claims_that_the_published_key_verifies(edge: World) -> None:
    """ES256 over padded parts; the header names the load balancer, issuer and client of the graph."""
    edge.member()
    (received,) = edge.target.requests
    header, payload, signature = str(received.value(CLAIMS)).split(".")
    login = _login(edge.stack)
    known = json.loads(_decoded(header))
    assert known.pop("exp") - edge.clock() == pytest.approx(120, abs=10)
    assert known == {
        "typ": "JWT",
        "alg": "ES256",
        "kid": edge.edge.signer.kid,
        "signer": edge.edge.resource["arn"],
        "iss": login["issuer"],
        "client": login["clientId"],
    }
    assert json.loads(_decoded(payload)) == {"sub": edge.people.member.subject, **edge.people.member.claims}
    raw = _decoded(signature)
    key = serialization.load_pem_public_key(edge.edge.signer.public_key.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(numbers, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))


def test_the_session_is_the_apis_too_and_ends_by_its_timeout(edge: World) -> None:
    """An API path returns 401 without it and after it; a page asks to log in again."""
    assert edge.browser().get(edge.url("/api/v1/x")).status == 401
    browser = edge.member()
    name = str(_login(edge.stack)["sessionCookieName"])
    (cookie,) = browser.jar
    assert (cookie.name, cookie.path, cookie.secure, cookie.has_nonstandard_attr("HttpOnly")) == (
        f"{name}-0",
        "/",
        True,
        True,
    )
    timeout = float(_login(edge.stack)["sessionTimeout"])
    assert float(cookie.expires or 0) - edge.clock() == pytest.approx(timeout, abs=10)
    edge.provider.down = True  # what a session needs of the provider: nothing, until the access token expires
    assert browser.get(edge.url("/api/v1/x")).status == 200
    edge.provider.down = False
    edge.clock.ahead = timeout + 1
    assert browser.get(edge.url("/api/v1/x"), {"Cookie": f"{cookie.name}={cookie.value}"}).status == 401
    assert browser.get(edge.url("/"), {"Cookie": f"{cookie.name}={cookie.value}"}, follow=False).status == 302


def test_claims_are_refreshed_when_the_access_token_expires(prod: Stack) -> None:
    """By the refresh token; where the provider refuses, the session is over."""
    with world(prod, lifetime_seconds=600) as made:
        browser, other = made.member(), made.member()
        before = browser.cookies
        made.clock.ahead = 601
        assert browser.get(made.url("/api/v1/x")).status == 200
        assert made.balancer_sum("ELBAuthRefreshTokenSuccess") == 1
        assert browser.cookies != before
        made.provider.failing_status = 400
        assert other.get(made.url("/api/v1/x")).status == 401


def test_logging_out_is_expiring_the_cookie(edge: World) -> None:
    """The target does it; afterwards the browser has no session."""
    browser = edge.member()
    (cookie,) = browser.jar
    edge.target.answer_headers = (("set-cookie", f"{cookie.name}=; Max-Age=-1; Path=/; Secure; HttpOnly"),)
    assert browser.get(edge.url("/logout")).status == 200
    edge.target.answer_headers = ()
    assert not browser.cookies
    assert browser.get(edge.url("/api/v1/x")).status == 401


def _with_groups(stack: Stack, size: int) -> People:
    """People whose member is in so many groups that the claims have about ``size`` bytes."""
    people = People.of(stack)
    claims = {**people.member.claims, "more": ["g" * 50] * (size // 54)}
    return dataclasses.replace(people, member=dataclasses.replace(people.member, claims=claims))


def test_a_large_session_is_sharded(prod: Stack) -> None:
    """Each cookie within 4 KiB, as many as it takes; without one of them there is no session."""
    people = _with_groups(prod, 9000)
    with world(prod, people=people) as made:
        browser = made.member()
        name = str(_login(made.stack)["sessionCookieName"])
        assert sorted(browser.cookies) == [f"{name}-{index}" for index in range(4)]
        assert all(len(key) + len(value) + 1 <= 4096 for key, value in browser.cookies.items())
        assert browser.get(made.url("/api/v1/x")).status == 200
        payload = str(made.target.requests[-1].value(CLAIMS)).split(".")[1]
        assert json.loads(_decoded(payload))["more"] == people.member.claims["more"]
        kept = {key: value for key, value in browser.cookies.items() if key != f"{name}-2"}
        sent = "; ".join(f"{key}={value}" for key, value in kept.items())
        assert made.browser().get(made.url("/api/v1/x"), {"Cookie": sent}).status == 401


def test_claims_beyond_the_limit_are_an_error(prod: Stack) -> None:
    """500, the metric that AWS names for it, and no session."""
    with world(prod, people=_with_groups(prod, SESSION_BYTES)) as made:
        browser = made.browser()
        assert browser.login(made.people.member.subject, made.url("/")).status == 500
        assert not [one for one in browser.cookies if one.startswith("AWSELBAuthSession")]
        assert made.balancer_sum("ELBAuthUserClaimsSizeExceeded") == 1
        assert f"more than {SESSION_BYTES}" in made.causes()


Change = Callable[[dict[str, str]], dict[str, str]]


TAMPERED: list[tuple[Change, str]] = [
    (lambda query: {**query, "state": query["state"][:-4] + "AAAA"}, "AuthInvalidStateParam"),
    (lambda query: {**query, "state": "made-up"}, "AuthInvalidStateParam"),
    (lambda query: {"code": query["code"]}, "AuthMissingStateParam"),
    (lambda query: {"state": query["state"]}, "AuthMissingCodeParam"),
]


@pytest.mark.parametrize(("change", "code"), TAMPERED)
def test_a_callback_that_was_tampered_with_is_401(edge: World, change: Change, code: str) -> None:
    """With the reason in the access log and in what was refused."""
    browser = edge.browser()
    url = _callback(edge, browser)
    query = dict(parse_qsl(urlsplit(url).query))
    response = browser.get(f"{url.partition('?')[0]}?{urlencode(change(query))}", follow=False)
    assert response.status == 401
    assert not [one for one in browser.cookies if one.startswith("AWSELBAuthSession")]
    assert f'"{code}"' in edge.line("/oauth2/idpresponse")
    assert code in edge.causes()


def test_a_callback_belongs_to_the_browser_that_began_the_login(edge: World) -> None:
    """Another browser has another nonce cookie, or none: someone's code is of no use to another person."""
    url = _callback(edge, edge.browser())
    assert edge.browser().get(url, follow=False).status == 401
    other = edge.browser()
    other.get(edge.url("/"), follow=False)
    assert other.get(url, follow=False).status == 401
    assert "AWSALBAuthNonce does not match" in edge.causes()


def test_a_login_that_takes_too_long_is_401(edge: World) -> None:
    """Fifteen minutes."""
    browser = edge.browser()
    url = _callback(edge, browser)
    edge.clock.ahead = 15 * 60 + 5
    assert browser.get(url, follow=False).status == 401


def test_a_code_is_good_for_one_login(edge: World) -> None:
    """The provider refuses the second use: 561, and AWS counts it as a failure."""
    browser = edge.browser()
    url = _callback(edge, browser)
    nonce = f"AWSALBAuthNonce={browser.cookies['AWSALBAuthNonce']}"
    assert browser.get(url, {"Cookie": nonce}, follow=False).status == 302
    assert browser.get(url, {"Cookie": nonce}, follow=False).status == 561
    assert edge.balancer_sum("ELBAuthFailure") == 1


def test_someone_whom_the_provider_denies_gets_401(edge: World) -> None:
    """As its own form has it: access_denied."""
    browser = edge.browser()
    form = browser.get(edge.url("/"))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    back = browser.request("POST", form.url, headers, b"action=deny")
    assert "error=access_denied" in back.headers["location"]
    assert browser.get(str(back.headers["location"]), follow=False).status == 401
    assert edge.balancer_sum("ELBAuthFailure") == 1


def _fails(made: World) -> Response:
    return made.browser().login(made.people.member.subject, made.url("/"))


@pytest.mark.parametrize(
    ("changes", "status", "cause"),
    [
        ({"clientSecret": "another"}, 561, "invalid_client"),
        ({"tokenEndpoint": "https://login.example.com/oauth2/tokens"}, 561, "POST /oauth2/tokens"),
        ({"userInfoEndpoint": "https://login.example.com/userinfo"}, 561, "GET /userinfo"),
        ({"tokenEndpoint": "https://log-in.example.com/oauth2/token"}, 500, "does not resolve"),
        ({"issuer": "https://login.example.com/"}, 500, "the ID token's issuer is https://login.example.com"),
        ({"scope": "profile"}, 200, ""),
    ],
)
def test_one_wrong_value_of_a_rule_fails_the_login_and_is_named(
    prod: Stack, changes: dict[str, str], status: int, cause: str
) -> None:
    """The provider is the stack file's: it does not follow a rule. Without ``openid`` no ID token is asked for."""
    with world(_with(prod, **changes)) as made:
        assert _fails(made).status == status
        assert cause in made.causes()
        if status != 200:
            assert _page_rule(made.stack).name in made.causes()


def test_a_client_that_is_not_registered_gets_no_form(prod: Stack) -> None:
    """The provider itself refuses it."""
    with world(_with(prod, clientId="another")) as made:
        assert made.browser().get(made.url("/")).status == 400
        assert "identity provider" in made.causes()


def test_a_callback_that_is_not_registered_gets_no_form(prod: Stack) -> None:
    """A load balancer behind another name than the one of the stack file."""
    with world(prod) as made:
        made.names["elsewhere.example"] = made.names[made.host]
        shown = made.browser().get(made.url("/"), follow=False).headers["location"]
        forged = str(shown).replace(made.host, "elsewhere.example")
        assert made.browser().get(forged).status == 400


def test_a_provider_that_is_down_fails_logins_and_not_sessions(edge: World) -> None:
    """500 with AWS's metrics; whoever is logged in goes on."""
    inside, browser = edge.member(), edge.browser()
    url = _callback(edge, browser)
    edge.provider.down = True
    assert browser.get(url, follow=False).status == 500
    assert inside.get(edge.url("/api/v1/x")).status == 200
    assert edge.balancer_sum("ELBAuthError") == 1
    assert edge.balancer_sum("HTTPCode_ELB_5XX_Count") == edge.balancer_sum("HTTPCode_ELB_500_Count") == 1
    assert " 500 - " in edge.line('"AuthTokenEpRequestFailed"')


def test_a_provider_that_is_slow_fails_logins(edge: World) -> None:
    """After the load balancer's own patience."""
    browser = edge.browser()
    url = _callback(edge, browser)
    edge.edge.around.provider_seconds = 0.3
    edge.provider.slow_seconds = 1
    assert browser.get(url, follow=False).status == 500
    assert " 500 - " in edge.line('"AuthTokenEpRequestTimeout"')


def test_without_its_own_authority_the_provider_is_not_believed(prod: Stack) -> None:
    """The load balancer verifies the provider's certificate."""
    with world(prod) as made:
        browser = made.browser()
        url = _callback(made, browser)
        made.edge.around.trusted = ssl.create_default_context()
        assert browser.get(url, follow=False).status == 500
        assert "certificate" in made.causes().lower()


def test_an_optional_login_forwards_without_claims(prod: Stack) -> None:
    """``allow``: the target gets the request either way, the claims with a session only."""
    with world(_with(prod, onUnauthenticatedRequest="allow")) as made:
        browser = made.browser()
        assert browser.get(made.url("/")).status == 200
        assert not [name for name, _ in made.target.requests[-1].headers if name in ADDED]


def test_extra_parameters_reach_the_provider(prod: Stack) -> None:
    """As the rule declares them."""
    with world(_with(prod, authenticationRequestExtraParams={"prompt": "login"})) as made:
        location = made.browser().get(made.url("/"), follow=False).headers["location"]
        assert dict(parse_qsl(urlsplit(location).query))["prompt"] == "login"


def test_the_providers_own_logout_leads_back(edge: World) -> None:
    """By the endpoint that the stack file declares; it asks first."""
    registration = edge.provider.registration
    browser = edge.browser()
    back = urlencode({"client_id": registration.client, "post_logout_redirect_uri": edge.url("/health")})
    form = browser.get(f"{registration.end_session}?{back}")
    assert form.status == 200
    page = browser.submit(form, {"redirect_uri": edge.url("/health")})
    assert (page.status, page.url) == (404, edge.url("/health"))
