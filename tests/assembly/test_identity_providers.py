"""What follows from ``identity.provider`` reaches the load balancer, the DNS allowlist and the proxy."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from assembly import preset, proxy
from local.stack import Stack
from preflight.recording.recorder import Recording
from settings import StackSettings
from settings.stack import PREFIX
from tests.assembly.guardrails import reported
from tests.once import main_program
from tests.settings.identity_providers import PARAMETERS, identity, provider
from tests.settings.stack_files import Values, as_the_engine_passes_it, changed, own_values, parse


def settings_of(section: Values) -> StackSettings:
    return parse(changed(own_values(), {"identity": section}))


@cache
def recorded(section: str) -> Recording:
    config = {**as_the_engine_passes_it("staging"), f"{PREFIX}identity": section}
    return main_program("staging", config)


def logins(recording: Recording) -> list[dict[str, Any]]:
    actions = [one for rule in recording.of_type("aws:lb/listenerRule:ListenerRule") for one in rule.inputs["actions"]]
    return [one["authenticateOidc"] for one in actions if "authenticateOidc" in one]


@pytest.mark.parametrize("kind", PARAMETERS)
def test_every_login_is_the_providers(kind: str) -> None:
    section = identity(kind)
    found = settings_of(section).identity
    assert found.provider is not None
    made = logins(recorded(json.dumps(section)))
    assert made
    for login in made:
        assert login["issuer"] == found.provider.issuer
        assert login["authorizationEndpoint"] == found.provider.authorization_endpoint
        assert login["tokenEndpoint"] == found.provider.token_endpoint
        assert login["userInfoEndpoint"] == found.provider.user_info_endpoint
        assert login["scope"].split() == list(found.scopes)
        assert login.get("authenticationRequestExtraParams", {}) == dict(found.provider.extra_parameters)


@pytest.mark.parametrize("kind", PARAMETERS)
def test_every_guardrail_is_kept_with_each_provider(kind: str) -> None:
    assert reported(Stack.of(recorded(json.dumps(identity(kind))))) == set()


@pytest.mark.parametrize("kind", PARAMETERS)
def test_the_names_that_the_load_balancer_calls_resolve(kind: str) -> None:
    section = identity(kind)
    found = settings_of(section).identity
    lists = recorded(json.dumps(section)).of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")
    names = {str(name).rstrip(".") for one in lists for name in one.inputs["domains"]}
    assert {urlsplit(url).hostname for url in (found.token_endpoint, found.user_info_endpoint)} <= names


@pytest.mark.parametrize("kind", PARAMETERS)
def test_the_proxy_requires_what_the_provider_states(kind: str) -> None:
    settings = settings_of(identity(kind))
    given = settings.identity.provider
    assert given is not None
    made = proxy(settings, preset(settings), "arn", {"eu-west-1": ("guardrail", "1")}).identity
    assert made.email_verified_required == given.verifies_email
    assert (made.required_claim_name, made.required_claim_values) == (given.required_claim or ("", ()))
    claim = settings.identity.allowed.claim
    encoding = given.encoding(claim.name) if claim else None
    assert made.allowed.claim_format == (encoding.value if encoding else "")
    assert made.allowed.everyone_the_provider_assigns == settings.identity.allowed.everyone_the_provider_assigns
    assert not made.administrators.everyone_the_provider_assigns


def test_a_format_in_the_file_overrides_the_providers() -> None:
    rule = {"claim": {"name": "custom:groups", "values": ["a"], "format": "json-text"}}
    settings = settings_of(identity("cognito", allowed=rule, administrators=rule))
    made = proxy(settings, preset(settings), "arn", {"eu-west-1": ("guardrail", "1")}).identity
    assert (made.allowed.claim_format, made.administrators.claim_format) == ("json-text", "json-text")


def test_without_provider_nothing_is_required_beyond_the_rules() -> None:
    settings = parse(own_values())
    made = proxy(settings, preset(settings), "arn", {"eu-west-1": ("guardrail", "1")}).identity
    assert (made.email_verified_required, made.required_claim_name, made.allowed.claim_format) == (False, "", "")


@pytest.mark.parametrize(("domains", "hint"), [(["example.com"], "example.com"), (["example.com", "example.org"], "*")])
def test_google_offers_the_accounts_of_the_organisation(domains: list[str], hint: str) -> None:
    section = identity("googleWorkspace", provider=provider("googleWorkspace", domains=domains))
    assert {login["authenticationRequestExtraParams"]["hd"] for login in logins(recorded(json.dumps(section)))} == {
        hint
    }
