"""A provider fills the section, and a rule that can never hold with it is refused."""

from __future__ import annotations

import pkgutil
from typing import get_args

import pytest

from components.proxy.settings import CLAIM_FORMATS
from settings import SettingsError, providers
from settings.errors import Problem
from settings.people import Claim
from settings.provider_rules import ENDPOINTS
from settings.providers import KINDS, ClaimEncoding, Provider
from settings.providers.provider import BY_ADDRESS
from tests.settings.identity_providers import ALLOWED, FOLLOWS, PARAMETERS, identity, kind_of, provider
from tests.settings.stack_files import Values, changed, own_values, parse

ANY_EMAIL: Values = {"emails": ["root@example.com"]}


def problems(section: Values) -> list[Problem]:
    """The problems of staging with this section; none if it is accepted."""
    try:
        parse(changed(own_values(), {"identity": section}))
    except SettingsError as error:
        return list(error.problems)
    return []


def by_claim(name: str, *values: str, **more: str) -> Values:
    return {"claim": {"name": name, "values": list(values or ("users",)), **more}}


def test_every_module_of_the_package_is_a_kind() -> None:
    modules = {one.name for one in pkgutil.iter_modules(providers.__path__)} - {"provider"}
    assert {kind.__module__.rpartition(".")[2] for kind in KINDS} == modules
    assert get_args(get_args(Provider)[0]) == KINDS
    assert {kind_of(kind) for kind in KINDS} == set(PARAMETERS)


def test_the_proxy_reads_every_format_that_the_settings_accept() -> None:
    assert sorted(CLAIM_FORMATS) == sorted(["", *(one.value for one in ClaimEncoding)])
    assert set(get_args(Claim.model_fields["format"].annotation)) == {ClaimEncoding, type(None)}


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_provider_fills_what_the_file_leaves_out(kind: str) -> None:
    found = parse(changed(own_values(), {"identity": identity(kind)})).identity
    assert found.provider is not None
    for field in ENDPOINTS.values():
        assert getattr(found, field) == getattr(found.provider, field)
    assert {"openid", "email", "profile"} <= set(found.scopes)
    assert found.end_session_endpoint == found.provider.end_session_endpoint


@pytest.mark.parametrize("kind", PARAMETERS)
@pytest.mark.parametrize("key", ENDPOINTS)
def test_an_endpoint_that_contradicts_the_provider_is_refused(kind: str, key: str) -> None:
    complete = {**identity(kind), key: "https://login.example.net/other"}
    (problem,) = problems(complete)
    assert problem.key == f"ai-interface:identity.{key}"
    assert problem.fix == f"remove {key}, or correct identity.provider"


@pytest.mark.parametrize("kind", PARAMETERS)
def test_what_the_provider_would_fill_may_be_written_too(kind: str) -> None:
    found = parse(changed(own_values(), {"identity": identity(kind)})).identity
    same = {key: getattr(found, field) for key, field in ENDPOINTS.items()}
    again = parse(changed(own_values(), {"identity": identity(kind, **same)})).identity
    assert again == found


def test_a_logout_page_and_scopes_of_the_file_win() -> None:
    own = "https://sso.example.com/logout?client_id=chat"
    section = identity("keycloak", endSessionEndpoint=own, scopes=["openid", "email", "profile", "ai"])
    found = parse(changed(own_values(), {"identity": section})).identity
    assert (found.end_session_endpoint, found.scopes[-1]) == (own, "ai")


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("entraId", "groups"),
        ("entraId", "roles"),
        ("entraId", "name"),
        ("googleWorkspace", "groups"),
        ("cognito", "cognito:groups"),
        ("cognito", "groups"),
        ("cognito", "profile"),
        ("okta", "department"),
        ("keycloak", "realm_access"),
        ("keycloak", "resource_access.chat.roles"),
        *((kind, "email") for kind in PARAMETERS),
    ],
)
@pytest.mark.parametrize("who", ["allowed", "administrators"])
def test_a_rule_by_a_claim_that_user_info_never_returns_is_refused(kind: str, claim: str, who: str) -> None:
    (problem,) = problems(identity(kind, **{who: by_claim(claim)}))
    model = next(one for one in KINDS if kind_of(one) == kind)
    assert (problem.key, problem.value) == (f"ai-interface:identity.{who}.claim.name", claim)
    assert problem.allowed.startswith(model.claims)
    assert (problem.fix == BY_ADDRESS) == (claim == "email")


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("https://graph.microsoft.com/oidc/userinfo", "entraId"),
        ("https://openidconnect.googleapis.com/v1/userinfo", "googleWorkspace"),
        ("https://www.googleapis.com/oauth2/v3/userinfo", "googleWorkspace"),
        ("https://chat.auth.eu-west-1.amazoncognito.com/oauth2/userInfo", "cognito"),
    ],
)
def test_a_known_endpoint_without_provider_has_the_same_limits(endpoint: str, kind: str) -> None:
    """The stack file that locked every user out while every check was clean."""
    section = {**own_values()["identity"], "userInfoEndpoint": endpoint, "allowed": by_claim("groups")}
    page = next(one.page for one in KINDS if kind_of(one) == kind)
    found = problems({**section, "administrators": ANY_EMAIL})
    (problem,) = [one for one in found if one.key.endswith("allowed.claim.name")]
    assert problem.fix.endswith(f"set identity.provider, see docs/identity/{page}")


def test_okta_has_any_claim_at_a_custom_server_and_requests_groups_at_the_org_server_only() -> None:
    custom = provider("okta", authorizationServer="default")
    assert problems(identity("okta", provider=custom, allowed=by_claim("department"))) == []
    scopes = {
        name: parse(changed(own_values(), {"identity": identity("okta", provider=one, allowed=rule)})).identity.scopes
        for name, one, rule in (
            ("org", provider("okta"), ALLOWED["okta"]),
            ("org without groups", provider("okta"), ANY_EMAIL),
            ("custom", custom, ALLOWED["okta"]),
        )
    }
    assert [name for name, found in scopes.items() if "groups" in found] == ["org"]


def test_scopes_without_the_one_that_a_rule_needs_are_refused() -> None:
    (problem,) = problems(identity("okta", scopes=["openid", "email", "profile"]))
    assert (problem.key, problem.fix) == ("ai-interface:identity.scopes", "remove scopes, or add the missing ones")


@pytest.mark.parametrize("rule", [{"emails": ["ann@example.com"]}, {"emailDomains": ["example.com"]}])
@pytest.mark.parametrize("who", ["allowed", "administrators"])
def test_rules_by_address_with_entra_id_need_the_option_that_names_the_risk(rule: Values, who: str) -> None:
    rules = {"allowed": {"emailDomains": ["example.com"]} if who == "administrators" else rule, who: rule}
    keys = {problem.key for problem in problems(identity("entraId", **rules))}
    assert f"ai-interface:identity.{who}.{next(iter(rule))}" in keys
    accepted = provider("entraId", acceptUnverifiedEmail=True)
    assert problems(identity("entraId", provider=accepted, **rules)) == []


@pytest.mark.parametrize("kind", PARAMETERS)
def test_everyone_is_admitted_only_where_the_provider_can_require_assignment(kind: str) -> None:
    model = next(one for one in KINDS if kind_of(one) == kind)
    found = problems(identity(kind, allowed={"everyoneTheProviderAssigns": True}))
    assert (found == []) == bool(model.assignment)
    if found:
        assert found[0].fix == "name the users by claim, emailDomains or emails"


def test_everyone_is_not_administrator_and_has_no_selector_next_to_it() -> None:
    everyone = {"everyoneTheProviderAssigns": True}
    fixes = [
        [problem.fix for problem in problems(section)]
        for section in (
            identity("okta", administrators={**ANY_EMAIL, **everyone}),
            identity("okta", allowed={**everyone, **ANY_EMAIL}),
            {**own_values()["identity"], "allowed": everyone},
        )
    ]
    assert fixes == [
        ["it belongs under identity.allowed"],
        ["remove claim, emailDomains and emails, or remove everyoneTheProviderAssigns"],
        ["name the users by claim, emailDomains or emails"],
    ]


def test_a_google_rule_outside_the_organisation_is_refused() -> None:
    found = problems(
        identity("googleWorkspace", allowed={**by_claim("hd", "other.example"), "emails": ["a@gmail.com"]})
    )
    assert [(one.key.rpartition("identity.")[2], one.value) for one in found] == [
        ("allowed.claim.values", "other.example"),
        ("allowed.emails", "a@gmail.com"),
    ]


@pytest.mark.parametrize(("format_", "value"), [("comma-separated", "a,b"), ("space-separated", "a b")])
def test_a_value_that_contains_the_separator_is_refused(format_: str, value: str) -> None:
    (problem,) = problems(identity("keycloak", allowed=by_claim("groups", value, format=format_)))
    assert (problem.key, problem.value) == ("ai-interface:identity.allowed.claim.values", value)


@pytest.mark.parametrize(
    ("given", "key", "fix"),
    [
        ({"kind": "entraId", "tenantId": "common"}, "tenantId", "copy it from the app registration's overview; common and organizations admit other tenants"),
        ({"kind": "okta", "domain": "example-admin.okta.com"}, "domain", "write example.okta.com"),
        ({"kind": "googleWorkspace", "domains": ["gmail.com"]}, "domains", "remove it, and create accounts in the organisation for these users"),
        ({"kind": "keycloak", "baseUrl": "http://sso.example.com", "realm": "a"}, "baseUrl", "write a value of the allowed form"),
        ({"kind": "cognito", "userPoolId": "aBcD12345", "domain": "a.example.com"}, "userPoolId", "write a value of the allowed form"),
        ({"kind": "auth0"}, "kind", f"set kind to one of {', '.join(PARAMETERS)}"),
        ({"kind": "okta"}, "domain", "add domain to Pulumi.staging.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_provider_is_the_only_problem(given: Values, key: str, fix: str) -> None:
    """No key that the provider would have filled is reported as missing."""
    (problem,) = problems({**identity("okta"), "provider": given, "allowed": ANY_EMAIL, "administrators": ANY_EMAIL})
    assert (problem.key, problem.fix) == (f"ai-interface:identity.provider.{key}", fix)


def test_without_provider_every_endpoint_is_still_required() -> None:
    section = {key: value for key, value in own_values()["identity"].items() if key not in FOLLOWS}
    assert {problem.key.rpartition(".")[2] for problem in problems(section)} == set(ENDPOINTS)


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_a_trailing_slash_of_keycloaks_url_does_not_reach_the_issuer(slash: str) -> None:
    given = {**provider("keycloak"), "baseUrl": f"https://sso.example.com{slash}"}
    found = parse(changed(own_values(), {"identity": identity("keycloak", provider=given)})).identity
    assert found.issuer == "https://sso.example.com/realms/company"
